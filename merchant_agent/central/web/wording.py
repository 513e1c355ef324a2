"""What codes and states are called on central's pages."""

from __future__ import annotations

from flask_babel import gettext

from merchant_agent.central.codes import CodeEntry, CodeKind, CodeState
from merchant_agent.central.log.trouble import Trouble
from merchant_agent.central.merchants import ImportRefusedError, Problem
from merchant_agent.domain.merchants import Programme
from merchant_agent.domain.statistics import AnswerBand


def band_words(band: AnswerBand) -> str:
    """How many answered, as the public may know it."""
    words: dict[str, str] = {
        AnswerBand.NONE: gettext("Nobody was asked"),
        AnswerBand.UNDER_10: gettext("Under 10%"),
        AnswerBand.FROM_10: "10–25%",
        AnswerBand.FROM_25: "25–50%",
        AnswerBand.FROM_50: "50–75%",
        AnswerBand.FROM_75: "75–100%",
    }
    return words[band]


def programme_words(programme: str) -> str:
    """The merchant's place in the programme."""
    words: dict[str, str] = {
        Programme.NONE: gettext("Not taking part"),
        Programme.SITE: gettext("Consumer confidence site"),
        Programme.MODEL: gettext("Consumer confidence model shop"),
    }
    return words[Programme(programme)]


def code_state_words(entry: CodeEntry) -> str:
    """What has become of an enrolment code."""
    words: dict[str, str] = {
        CodeState.READY: gettext("Not used yet"),
        CodeState.WAITING: gettext("Waits for you"),
        CodeState.CONFIRMED: gettext("Confirmed"),
        CodeState.USED: gettext("Used"),
        CodeState.REFUSED: gettext("Withdrawn"),
        CodeState.EXPIRED: gettext("Expired"),
    }
    return words[entry.state]


def trouble_words(trouble: Trouble | None) -> str:
    """What keeps the log from going on and what to do; empty where nothing does."""
    words: dict[str | None, str] = {
        None: "",
        Trouble.NOT_SET: gettext(
            "The log was not begun. Whoever runs this server says where its newest checkpoint is remembered, "
            "and runs:"
        ),
        Trouble.MISSING: gettext(
            "The file that remembers the log's newest checkpoint is missing. Put it back where it was."
        ),
        Trouble.UNUSABLE: gettext(
            "The file that remembers the log's newest checkpoint cannot be read, or belongs to another log."
        ),
        Trouble.BEHIND: gettext(
            "The database has fewer entries than the log published: it was restored to an earlier state. "
            "Restore a newer one."
        ),
        Trouble.SPLIT: gettext(
            "The database has other entries than the log published: it was restored and went on from there. "
            "Keep everything as it is and have it investigated."
        ),
        Trouble.MOVED: gettext("Another server uses the file that remembers the log's newest checkpoint."),
        Trouble.SILENT: gettext("Nothing was published for five minutes. Central's log file says why."),
    }
    return words[trouble]


def code_kind_words(kind: CodeKind) -> str:
    """Where an enrolment code was shown."""
    words: dict[str, str] = {CodeKind.SCREEN: gettext("On screen"), CodeKind.SHEET: gettext("Printed sheet")}
    return words[kind]


def channel_words(channel: str) -> str:
    """How an answer was given."""
    words: dict[str, str] = {"tablet": gettext("on the tablet"), "phone": gettext("by phone")}
    return words.get(channel, channel)


def field_words(field: str) -> str:
    """A field of the merchant form."""
    words: dict[str, str] = {
        "name": gettext("Registered name"),
        "shop_name": gettext("Shop name"),
        "credit_code": gettext("Credit code"),
        "address": gettext("Address"),
        "trade": gettext("Trade"),
        "phone": gettext("Telephone"),
        "programme": gettext("Consumer confidence programme"),
        "": gettext("Whole line"),
    }
    return words.get(field, field)


def problem_words(problem: Problem) -> str:
    """What to correct in a field."""
    words: dict[str, str] = {
        "name": gettext("Enter the registered name on one line, 120 characters at most."),
        "shop-name": gettext("Enter the shop name on one line, 120 characters at most."),
        "credit-code": gettext(
            "This is no valid credit code: 18 characters, the last of which checks the others. "
            "Compare it with the licence; I, O, S, V and Z do not occur."
        ),
        "credit-code-taken": gettext("A merchant with this credit code is registered already."),
        "address": gettext("Enter the address on one line, 200 characters at most."),
        "trade": gettext("Choose one of the listed trades."),
        "phone": gettext("Enter digits, spaces and hyphens only, 32 characters at most."),
        "programme": gettext("Choose one of the three."),
        "promise-days": gettext("Enter how many days: 1 to 90."),
        "promise-goods": gettext("Say which goods it covers, on one line, 60 characters at most."),
        "promise-terms": gettext("State the terms on one line, 120 characters at most."),
        "twice": gettext("The same credit code stands in an earlier line."),
        "line": gettext("The fields do not match the headings, or a quotation mark is missing."),
    }
    return words.get(problem.code, problem.detail)


def refusal_words(error: ImportRefusedError) -> str:
    """Why a file was not taken."""
    words: dict[str, str] = {
        "import-missing": gettext("Choose a file first."),
        "import-too-large": gettext(
            "The file is too large: at most 4 MB and 20,000 lines are taken at once."
        ),
        "import-encoding": gettext("The file is neither UTF-8 nor GB18030. Save it as “CSV UTF-8”."),
        "import-headings": gettext(
            "The first line must hold the headings, each once: name, credit code, address and trade, "
            "and no others than the sample has."
        ),
        "import-empty": gettext("The file holds no merchant under its headings."),
        "import-lines": gettext("Some lines need to be corrected:"),
    }
    return words.get(error.code, error.detail)


def finding_words(code: str) -> str:
    """What was found."""
    words: dict[str, str] = {
        "broken_promise": gettext("Promise not kept in time"),
        "late": gettext("Came late"),
        "conflict": gettext("Two signatures contradict each other"),
        "disputed": gettext("Answer not given by the customer"),
        "split_view": gettext("The terminal saw another log"),
        "silent": gettext("Silent in opening hours"),
    }
    return words.get(code, code)


def reason_words(reason: str) -> str:
    """Why a customer is to be called back."""
    words: dict[str, str] = {
        "disputed": gettext("“I did not tap this”"),
        "contested": gettext("Several devices have the slip"),
        "upward": gettext("Corrected to a better level"),
        "downward": gettext("Corrected to a lower level after a call"),
    }
    return words.get(reason, reason)


def remark_words(kind: str, code: str) -> str:
    """What was said about an answer, and how."""
    words: dict[tuple[str, str], str] = {
        ("supersede", "phone"): gettext("Corrected by phone"),
        ("supersede", "call_back"): gettext("Corrected when called back"),
        ("dispute", "contested"): gettext("Disputed by phone, several devices have the slip"),
        ("dispute", "uncontested"): gettext("Disputed by phone"),
        ("confirm", "counter"): gettext("Confirmed at the counter"),
        ("confirm", "phone"): gettext("Confirmed by phone"),
        ("confirm", "call_back"): gettext("Confirmed when called back"),
        ("finding", "disputed"): gettext("Not given by the customer, as heard when called back"),
    }
    return words.get((kind, code)) or finding_words(code)


def call_words(outcome: str) -> str:
    """What a call came to."""
    words: dict[str, str] = {
        "confirmed": gettext("The customer confirms the answer"),
        "corrected": gettext("The customer meant another level"),
        "not_given": gettext("The customer did not give this answer"),
        "not_reached": gettext("Nobody was reached"),
    }
    return words.get(outcome, outcome)


def slip_state_words(state: str) -> str:
    """Where a slip's promise stands, for officers."""
    words: dict[str, str] = {
        "promised": gettext("on its way"),
        "kept": gettext("kept"),
        "late": gettext("came late"),
        "broken": gettext("not kept in time"),
        "conflict": gettext("contradicted"),
    }
    return words.get(state, state)

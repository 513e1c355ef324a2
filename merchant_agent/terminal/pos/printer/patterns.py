"""The words by which receipts are understood: those of common tills, and those that a shop adds.

A shop names words, no expressions: the word before its order number, the word before its total, and
titles of what is no sale. Its titles can leave customers out, which is why they are signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError

WORD_MAX_CHARS: Final = 24
MOST_WORDS: Final = 16


class JobKind(StrEnum):
    """What was printed; a customer may be asked after a `receipt` alone."""

    RECEIPT = "receipt"
    KITCHEN = "kitchen"
    PRE_BILL = "pre_bill"
    REPRINT = "reprint"
    REFUND = "refund"
    SHIFT = "shift"
    DELIVERY = "delivery"
    IMAGE = "image"
    OTHER = "other"


# Best first: where a receipt has several, what stands first here is the number or the sum of the sale.
ORDER_WORDS: Final = (
    "订单编号",
    "订单号",
    "订单号码",
    "账单号",
    "帐单号",
    "结账单号",
    "销售单号",
    "小票号",
    "小票单号",
    "小票编号",
    "单据号",
    "单据编号",
    "单号",
    "流水号",
    "交易号",
    "交易流水",
    "收据号",
    "票号",
    "取餐号",
    "取单号",
    "取餐码",
    "排队号",
    "牌号",
    "序号",
    "receipt no",
    "receipt number",
    "receipt",
    "invoice no",
    "invoice number",
    "invoice",
    "order no",
    "order number",
    "order id",
    "order",
    "bill no",
    "check no",
    "check",
    "ticket no",
    "ticket",
    "transaction",
    "trans",
    "bon n°",
    "bon no",
    "facture n°",
    "rechnung nr",
    "beleg nr",
    "queue no",
)
TOTAL_WORDS: Final = (
    "应付金额",
    "应付",
    "实付金额",
    "实付",
    "应收金额",
    "应收",
    "合计金额",
    "金额合计",
    "合计应付",
    "应付合计",
    "合计",
    "总计",
    "总计金额",
    "总金额",
    "总额",
    "总价",
    "消费金额",
    "消费合计",
    "订单金额",
    "支付金额",
    "付款金额",
    "小票金额",
    "实收金额",
    "实收",
    "amount due",
    "balance due",
    "total due",
    "grand total",
    "total amount",
    "total to pay",
    "total ttc",
    "net total",
    "total",
    "amount",
    "summe",
    "gesamt",
)
_PLATFORMS: Final = (
    "美团",
    "饿了么",
    "外卖",
    "京东秒送",
    "京东到家",
    "抖音来客",
    "淘宝闪购",
    "uber eats",
    "deliveroo",
)

# Titles: a line that is little more than this says what the paper is; after `=` it must be just that.
TITLES: Final[Mapping[JobKind, Sequence[str]]] = {
    JobKind.SHIFT: (
        "交班",
        "交接班",
        "结班",
        "班结",
        "日结",
        "=日报",
        "=月报",
        "营业日报",
        "营业月报",
        "销售日报",
        "收银日报",
        "收款日报",
        "营业汇总",
        "营业统计",
        "营业报表",
        "收银汇总",
        "收银报表",
        "收款汇总",
        "销售汇总",
        "轧账",
        "扎账",
        "对账汇总",
        "z报",
        "x报",
        "z report",
        "x report",
        "z-report",
        "x-report",
        "shift report",
        "shift close",
        "end of day",
        "daily report",
        "day report",
        "cash up",
    ),
    JobKind.REFUND: (
        "退款",
        "退货",
        "退菜",
        "退单",
        "退品",
        "退换货单",
        "冲红",
        "反结账",
        "红冲",
        "撤销",
        "作废",
        "refund",
        "refunded",
        "=return",
        "credit note",
        "=void",
        "voided",
    ),
    JobKind.DELIVERY: _PLATFORMS,
    JobKind.REPRINT: (
        "补打",
        "补印",
        "重打",
        "重印",
        "重新打印",
        "重复打印",
        "再次打印",
        "副本",
        "商户存根",
        "商户联",
        "商家联",
        "存根联",
        "留存联",
        "财务联",
        "reprint",
        "reprinted",
        "duplicate",
        "=copy",
        "merchant copy",
    ),
    JobKind.KITCHEN: (
        "厨房",
        "后厨",
        "厨打",
        "制作单",
        "制作联",
        "出品单",
        "出品联",
        "=出品",
        "传菜",
        "划菜",
        "配菜",
        "起菜",
        "叫起",
        "催菜",
        "加菜",
        "点菜单",
        "=点单",
        "=下单",
        "=堂口",
        "=档口",
        "凉菜间",
        "热菜间",
        "凉菜单",
        "热菜单",
        "=面点",
        "=吧台",
        "=水吧",
        "杯贴",
        "=标签",
        "=分单",
        "=总单",
        "一菜一单",
        "kitchen",
        "kitchen order",
        "order ticket",
        "bar order",
    ),
    JobKind.PRE_BILL: (
        "预结",
        "预打",
        "=预览",
        "预付单",
        "埋单",
        "买单确认",
        "结账前",
        "未结账",
        "未结",
        "待结",
        "待支付",
        "待付款",
        "未付款",
        "未支付",
        "未付",
        "pre-bill",
        "prebill",
        "pro forma",
        "proforma",
        "unpaid",
        "not paid",
    ),
}
# Titles of bills that are handed out before payment in one shop and after it in another: what was paid decides.
UNPAID_TITLES: Final = ("核对单", "对单", "客看单", "=客单", "消费清单", "消费明细", "对账单", "guest check")
PAID_WORDS: Final = (
    "实收",
    "找零",
    "微信",
    "支付宝",
    "现金",
    "刷卡",
    "银行卡",
    "银联",
    "会员卡",
    "储值",
    "已付",
    "已支付",
    "支付金额",
    "扫码支付",
    "收款",
    "云闪付",
    "数字人民币",
    "cash",
    "change",
    "card",
    "visa",
    "mastercard",
    "paid",
    "tendered",
    "alipay",
    "wechat",
)
# Where a line begins with this, whatever follows, the paper is of that kind.
BEGINNINGS: Final[Mapping[JobKind, Sequence[str]]] = {
    JobKind.SHIFT: ("交班时间", "交班人", "接班人", "收银笔数", "总笔数", "备用金", "应交现金", "上交现金"),
    JobKind.REFUND: (
        "退款金额",
        "退款合计",
        "退款总额",
        "退款方式",
        "退款时间",
        "退款单号",
        "退货金额",
        "退货单号",
        "退货合计",
        "应退",
        "实退",
        "原单号",
        "原订单号",
        "refund total",
        "refund amount",
        "total refund",
        "total refunded",
        "amount refunded",
    ),
    JobKind.DELIVERY: (
        "预计送达",
        "期望送达",
        "期望时间",
        "送达时间",
        "立即送达",
        "尽快送达",
        "配送费",
        "配送方式",
        "配送地址",
        "收货地址",
        "收餐人",
        "收货人",
        "顾客地址",
        "顾客电话",
        "骑手",
        "delivery address",
        "deliver to",
        "rider",
    ),
    JobKind.REPRINT: ("补打时间", "补打人", "重打时间", "重印时间", "第2次打印", "第3次打印"),
    JobKind.KITCHEN: ("下单时间", "起菜时间", "传菜员", "厨师", "做法", "档口"),
    JobKind.PRE_BILL: (
        "以上为预结",
        "此单不作",
        "本单不作",
        "此单仅供核对",
        "仅供核对",
        "请核对后",
        "this is not a receipt",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """What a shop adds to the words above; its own come first.

    Raises:
        InvalidError: "pattern", where a word is empty, too long, or there are too many.
    """

    order: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    titles: Mapping[JobKind, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", _checked(self.order))
        object.__setattr__(self, "total", _checked(self.total))
        object.__setattr__(self, "titles", {kind: _checked(words) for kind, words in self.titles.items()})

    def order_words(self) -> tuple[str, ...]:
        """The words before an order number, best first, in lower case."""
        return (*self.order, *ORDER_WORDS)

    def total_words(self) -> tuple[str, ...]:
        """The words before the sum of the sale, best first, in lower case."""
        return (*self.total, *TOTAL_WORDS)

    def title_words(self, kind: JobKind) -> tuple[str, ...]:
        """The titles of that kind, in lower case."""
        return (*self.titles.get(kind, ()), *TITLES.get(kind, ()))


def _checked(words: Sequence[str]) -> tuple[str, ...]:
    if len(words) > MOST_WORDS:
        raise InvalidError("pattern", f"at most {MOST_WORDS} words of a sort")
    return tuple(
        check_line(word, code="pattern", min_chars=1, max_chars=WORD_MAX_CHARS).lower() for word in words
    )

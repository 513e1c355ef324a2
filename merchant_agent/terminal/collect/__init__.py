"""Prompts and answers, as functions that know no web.

`prompts` takes sales in and ends questions, `answers` keeps taps and signs ratings,
`words` takes suggestions and complaints, `sweep` ends what people left, `wake` tells each
tablet what to show.
"""

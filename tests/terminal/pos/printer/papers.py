"""Papers as common Chinese tills print them, as ESC/POS in GB18030: what is a sale, and what looks like one."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.terminal.pos.printer.jobs import Job, understand
from merchant_agent.terminal.pos.printer.paper import Paper
from merchant_agent.terminal.pos.printer.patterns import JobKind, Patterns
from merchant_agent.terminal.pos.printer.scanner import Scanner

START = b"\x1b@\x1c&"
BIG, SMALL = b"\x1d!\x11", b"\x1d!\x00"
CUT = b"\x1dV\x42\x00"

KITCHEN = {
    "title": """
<后厨制作单>
桌号: 8      人数: 4
单号: 0031
时间: 12:03:22
------------------------
麻婆豆腐   x1
  [少辣]
宫保鸡丁   x1
""",
    "dish": """
凉菜间
堂食  A12
拍黄瓜           1份
备注: 不要香菜
2026-11-23 18:22
""",
    "passing": """
=====传菜联=====
台号：包间 2
订单号：202611230045
鱼香肉丝  1
米饭  3
出单时间: 11:48
""",
    "added": """
*** 加菜单 ***
桌台: 15
水煮牛肉 1 份
下单时间 19:02
""",
}
PRE_BILL = {
    "title": """
北街小馆
【预结单】
桌号: 12   人数: 3
账单号: 20261123-0086
麻婆豆腐  x1   18.00
回锅肉    x1   32.00
合计:  50.00
""",
    "unpaid": """
老友火锅
消费清单
台号: 6
锅底  68.00
肥牛  46.00
合计  114.00
应付  114.00
此单仅供核对，不作报销凭证
""",
    "not yet": """
小城咖啡
*未结账*
单号: 77
拿铁  22.00
应收: 22.00
""",
}
REPRINT = {
    "title": """
北街小馆
**补打**
单号: 20261123-0087
合计: 64.00
微信支付  64.00
""",
    "words": """
旺旺超市
（重打小票）
流水号：000123
总计：35.50
现金：50.00
找零：14.50
""",
    "stub": """
POS签购单
商户存根
交易金额: RMB 64.00
流水号: 001234
""",
}
REFUND = {
    "title": """
旺旺超市
退货单
原单号: 000121
洗衣液  -1  -39.90
合计: -39.90
""",
    "sum": """
北街小馆
单号: 0088
退款金额: 32.00
退款方式: 微信原路退回
合计: 32.00
""",
    "dish": """
<退菜单>
桌号: 8
回锅肉 x-1   32.00
合计: 32.00
""",
}
SHIFT = {
    "title": """
交班单
收银员: 03
班次: 早班
总笔数: 87
现金: 1203.00
微信: 3305.50
合计: 4508.50
""",
    "day": """
旺旺超市
营业日报
2026-11-23
销售总额: 12,305.00
订单数: 312
""",
    "cash": """
收银员交接班
备用金: 500.00
应交现金: 1203.00
实收合计: 4508.50
""",
}
DELIVERY = {
    "meituan": """
#12 美团外卖
预计送达: 12:30
张女士 138****1234
麻婆豆腐  x1   18.00
配送费  3.00
实付: 21.00
订单编号: 3025 1123 0912 3456
""",
    "eleme": """
饿了么 #5
【在线支付】
期望送达: 立即送达
麻婆豆腐 *1  18.00
总计: 18.00
""",
    "rider": """
外卖单 23
骑手: 李师傅
收货地址: 晋原街道某小区
合计: 45.00
单号: 23
""",
}
# Order and sum beside each.
RECEIPTS = {
    "restaurant": (
        """
北街小馆
单号: 20261123-0087   桌号: 12
时间: 2026-11-23 12:41:09
麻婆豆腐      x1        18.00
合计:                  ￥64.00
微信支付               ￥64.00
凭小票7日内可退换，谢谢惠顾
""",
        ("20261123-0087", "64.00"),
    ),
    "supermarket": (
        """
旺旺超市 欢迎光临
小票号：000123   收银台：2
农夫山泉 2.00*3        6.00
数量合计: 3
合计: 6.00
实收: 10.00   找零: 4.00
如需退货，请凭小票在7天内办理
客服电话: 028-00000000
""",
        ("000123", "6.00"),
    ),
    "full width": (
        """
小城面馆
取餐号：Ａ０８７
牛肉面　　　１２．００
优惠　　　　　２．００
应付：￥１０．００
支付宝：１０．００
请留意叫号
""",
        ("A087", "10.00"),
    ),
    "discount": (
        """
鲜果园
流水号: 2026112300017
苹果 1.235kg   12.35
合计      12.35
优惠      -2.35
应付      10.00
实付      10.00
会员卡支付 10.00
美团搜索“鲜果园”下单更优惠
""",
        ("2026112300017", "10.00"),
    ),
    "big number": (
        """
叫了个饭
取餐号
087
黄焖鸡 1 19.9
合计(1件) 19.90
扫码支付 19.90
""",
        ("087", "19.90"),
    ),
    "paid list": (
        """
老友火锅
消费清单
单号: 0099
锅底  68.00
合计  68.00
现金  100.00
找零  32.00
""",
        ("0099", "68.00"),
    ),
    "takeaway at the counter": (
        """
妈妈的厨房
堂食/打包: 打包
订单号: 45
盖饭   15.00
总计: 15.00
微信: 15.00
""",
        ("45", "15.00"),
    ),
}

# What files beside the project hold, and two like them made here: number, sum and currency.
READ = {
    "beijie-restaurant-gb18030": ("20261123-0087", "64.00", "CNY"),
    "bookshop-python-escpos": ("5521", "31.90", "EUR"),
    "cafe-latin-qr-barcode": ("2026-000417", "13.70", "EUR"),
    "examplemart-with-logo": (None, "14.25", "USD"),
    "minimart-no-cut": ("88231", "2.10", "CNY"),
    "latin": ("2026-77", "13.70", "EUR"),
    "logo": ("A-12", "18.00", "CNY"),
}
_SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "receipts"
_LATIN = (
    b"\x1b@\x1c.\x1bM\x00\x1bE\x01\x1bt\x00CAFE\x1bE\x00\n\rReceipt No: 2026-77\n\r"
    b"Cr\x8ame br\x96l\x82e   13,70\n\rTOTAL EUR   13,70\n\r"
    b"\x1dk\x024006381333931\x00\n\r\x1d(k\x04\x001A2\x00\x1d(k\x07\x001P0\x1dV\x00!\x1d(k\x03\x001Q0\x1dV\x01\n\r"
)
_RASTER = b"\x1dv0\x00\x04\x00\x02\x00" + b"\x1dV\x00\x1bi\x1bm\x00"
_LOGO = (
    b"\x1b@\x1c&\x1ba\x01"
    + _RASTER
    + "小店\n单号: A-12\n合计: 18.00".encode("gb18030")
    + b"\x1bd\x03\x1bi\x1bp\x00\x32\xfa"
)


def receipts() -> dict[str, bytes]:
    """Whole jobs by name; with cut bytes inside their images and codes."""
    found = {path.stem: path.read_bytes() for path in sorted(_SHARED.glob("*.bin"))}
    return {"latin": _LATIN, "logo": _LOGO, **found}


def job(text: str) -> bytes:
    """The text as a till sends it: its second line large, then a cut."""
    lines = text.strip("\n").split("\n")
    octets = [line.encode("gb18030") + b"\n" for line in lines]
    return START + BIG + octets[0] + SMALL + b"".join(octets[1:]) + CUT


def read(octets: bytes, patterns: Patterns | None = None, names: tuple[str, ...] = ()) -> Job:
    """What a whole job is taken for."""
    paper = Paper()
    for piece in Scanner().feed(octets):
        paper.take(piece)
    return understand(
        paper.lines, has_image=paper.has_image, patterns=patterns or Patterns(), own_names=names
    )


NO_SALES = {
    JobKind.KITCHEN: KITCHEN,
    JobKind.PRE_BILL: PRE_BILL,
    JobKind.REPRINT: REPRINT,
    JobKind.REFUND: REFUND,
    JobKind.SHIFT: SHIFT,
    JobKind.DELIVERY: DELIVERY,
}

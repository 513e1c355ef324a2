"""The program in the shop: hears of sales, asks customers, signs, keeps and uploads what they say."""

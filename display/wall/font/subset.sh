#!/bin/sh
# Makes page/hei.woff2 from WenQuanYi Micro Hei: Latin, Kana, Hangul and the usual
# symbols, and every character of GBK. Needs: fonts-wqy-microhei python3-fonttools
# python3-brotli.
set -eu
cd "$(dirname "$0")"
/usr/bin/python3 - > gbk.txt <<'P'
chars = set()
for hi in range(0x81, 0xFF):
    for lo in range(0x40, 0xFF):
        try:
            chars.update(bytes([hi, lo]).decode("gbk"))
        except UnicodeDecodeError:
            pass
chars.update(map(chr, list(range(0x20, 0x250)) + list(range(0x2000, 0x2700)) + list(range(0x3000, 0x3100)) + list(range(0xFF00, 0xFFEF))))
chars.update(map(chr, range(0xAC00, 0xD7A4)))
print("".join(sorted(c for c in chars if c.isprintable())))
P
/usr/bin/python3 -m fontTools.subset /usr/share/fonts/truetype/wqy/wqy-microhei.ttc --font-number=0 --text-file=gbk.txt --flavor=woff2 \
	--layout-features='kern,tnum,lnum' --no-hinting --desubroutinize --name-IDs='*' --output-file=../page/hei.woff2
rm gbk.txt

"""Three letters in HTML, as programs send them: tables, colours, and pictures that live on somebody's server."""

_CELL = 'style="padding:6px 12px;border-bottom:1px solid #ddd"'
_RIGHT = 'style="padding:6px 12px;border-bottom:1px solid #ddd;text-align:right"'


def _row(*cells: str) -> str:
    first, *others = cells
    return f"<tr><td {_CELL}>{first}</td>" + "".join(f"<td {_RIGHT}>{cell}</td>" for cell in others) + "</tr>"


ORDER = (
    '<html><body style="font-family:Georgia,serif;color:#222"><p>Hi, forwarding what I see. The prices run into each'
    " other on my old laptop. Not a complaint, just thought you would want to know.</p><p>Theo</p>"
    '<div style="border:1px solid #ccc;padding:16px;max-width:560px">'
    '<img src="https://pictures.haldenceramics.example/head.png" width="528" height="90" alt="Halden Ceramics">'
    '<h2 style="font-weight:normal;color:#1f5a4a">Thank you for your order HC-20318</h2>'
    '<table cellspacing="0" style="border-collapse:collapse;width:100%">'
    + _row("<b>Piece</b>", "<b>Number</b>", "<b>Price</b>")
    + _row("Moss bowl, set of six", "1", "€186.00")
    + _row("Chalk platter", "2", "€148.00")
    + _row("Oil jug, small", "1", "€22.00")
    + _row("Packing and post", "", "€9.50")
    + _row("<b>Together</b>", "", "<b>€365.50</b>")
    + '</table><p style="color:#666;font-size:13px">We wrap every piece by hand and post on weekdays.</p>'
    '<img src="https://count.haldenceramics.example/open.gif?o=20318" width="1" height="1" alt=""></div></body></html>'
)

NEWSLETTER = (
    '<html><head><style>h1{font-size:30px}</style></head><body style="background:#f3efe7">'
    '<table align="center" width="560" cellpadding="0" cellspacing="0" style="background:#fff;font-family:Georgia,serif">'
    '<tr><td style="padding:28px 32px;background:#2f4a3f;color:#fff"><h1 style="font-weight:normal;margin:0">'
    "The Slow Table</h1><p>Letter 31, November</p></td></tr>"
    '<tr><td><img src="https://slowtable.example/pictures/kiln-in-the-rain.jpg" width="560" height="240" alt="A kiln in the rain"></td></tr>'
    '<tr><td style="padding:24px 32px"><h2 style="color:#2f4a3f;font-weight:normal">A kiln in the rain</h2>'
    "<p>We stood under one umbrella, three of us, and nobody wanted to be the first to open it.</p>"
    '<h2 style="color:#2f4a3f;font-weight:normal">Three soups</h2><table width="100%"><tr>'
    '<td width="33%" valign="top"><b>Leek</b><br>for when you are tired</td>'
    '<td width="33%" valign="top"><b>Beetroot</b><br>for when they are</td>'
    '<td width="33%" valign="top"><b>Fish</b><br>for when nobody is</td></tr></table>'
    "<p>And why the best cup in the cupboard is always the chipped one: because it is the one that is used.</p>"
    '<p style="text-align:center"><a href="https://slowtable.example/letters/31" style="background:#2f4a3f;color:#fff;'
    'padding:10px 20px;text-decoration:none">Read the whole letter</a></p></td></tr>'
    '<tr><td style="padding:16px 32px;color:#888;font-size:12px">You get this because you asked for it.'
    ' <a href="https://slowtable.example/stop" style="color:#888">Stop the letters</a>'
    '<img src="https://slowtable.example/seen?who=halden" width="1" height="1" alt=""></td></tr></table></body></html>'
)

MENU = (
    '<html><body><p>This is how the menu looks now. Third line, you are in it.</p><blockquote style="border-left:4px'
    ' solid #b88a4a;padding-left:16px;font-family:Georgia,serif"><h3>Coffee</h3>'
    '<table cellspacing="0">'
    + _row("Espresso", "2.60")
    + _row("Macchiato", "2.90")
    + _row("<i>in a cup of ash over iron, thrown by Ben in Halden</i>", "")
    + _row("Filter, a pot for two", "6.40")
    + '</table></blockquote><ul><li>Three rooms</li><li>One oven</li><li style="color:#b84a2a">No music before nine</li></ul>'
    "<p>Nele</p></body></html>"
)

LETTERS = {"order": ORDER, "newsletter": NEWSLETTER, "menu": MENU}

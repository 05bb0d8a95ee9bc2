"""Calls every method of the official Python client against a simulator and prints one JSON line a call.

Arguments: base URL, feed URL, request_token, the option's tradingsymbol, the quoted token. The test compares the lines with
the simulator's state.
"""
import datetime
import json
import sys
import threading

from kiteconnect import KiteConnect, KiteTicker

root, feed, request_token, option, token, last = sys.argv[1:7]
last = float(last)
kite = KiteConnect(api_key="simkey", root=root)


def show(name, call):
    try:
        value = call()
        print(json.dumps({"name": name, "value": value}, default=str))
        return value
    except Exception as error:  # the error's class is what is compared
        print(json.dumps({"name": name, "error": type(error).__name__, "message": str(error), "code": getattr(error, "code", None)}))
        return None


hooked = []
kite.set_session_expiry_hook(lambda: hooked.append(1))
session = show("generate_session", lambda: kite.generate_session(request_token, "simsecret"))
renewed = show("renew_access_token", lambda: kite.renew_access_token(session["refresh_token"], "simsecret"))
show("generate_session_again", lambda: KiteConnect(api_key="simkey", root=root).generate_session(request_token, "simsecret"))
show("profile", kite.profile)
show("margins", kite.margins)
show("margins_equity", lambda: kite.margins("equity"))

base = dict(variety="regular", exchange="NSE", tradingsymbol="INFY", transaction_type="BUY", product="CNC", tag="py1")
done = show("place_order", lambda: kite.place_order(quantity=2, order_type="MARKET", market_protection=-1, **base))
rest = show("place_limit", lambda: kite.place_order(quantity=2, order_type="LIMIT", price=1200, **base))
show("modify_order", lambda: kite.modify_order("regular", rest, quantity=4, price=1201.5))
show("cancel_order", lambda: kite.cancel_order("regular", rest))
show("cancel_again", lambda: kite.cancel_order("regular", rest))
show("bad_quantity", lambda: kite.place_order(quantity=0, order_type="LIMIT", price=1200, **base))
show("iceberg", lambda: kite.place_order(quantity=4, order_type="LIMIT", price=1200, iceberg_legs=2, iceberg_quantity=2, validity="TTL", validity_ttl=5, **{**base, "variety": "iceberg"}))
show("amo", lambda: kite.place_order(quantity=1, order_type="LIMIT", price=1200, **{**base, "variety": "amo"}))
cover = show("cover", lambda: kite.place_order(quantity=1, order_type="MARKET", market_protection=-1, trigger_price=round(last * 0.95), **{**base, "variety": "co", "product": "MIS"}))
leg = [o for o in kite.orders() if o["parent_order_id"] == cover][0]["order_id"]
show("exit_order", lambda: kite.exit_order("co", leg, parent_order_id=cover))
show("place_autoslice_order", lambda: kite.place_autoslice_order(variety="regular", exchange="NFO", tradingsymbol=option, transaction_type="BUY", quantity=2600, product="NRML", order_type="LIMIT", price=0.05))
show("orders", kite.orders)
show("order_history", lambda: kite.order_history(done))
show("trades", kite.trades)
show("order_trades", lambda: kite.order_trades(done))

kite.place_order(variety="regular", exchange="NFO", tradingsymbol=option, transaction_type="BUY", quantity=65, product="NRML", order_type="MARKET", market_protection=-1)
show("convert_position", lambda: kite.convert_position("NFO", option, "BUY", "day", 65, "NRML", "MIS"))
show("positions", kite.positions)
show("holdings", kite.holdings)
auction = show("get_auction_instruments", kite.get_auction_instruments)[0]
show("auction", lambda: kite.place_order(quantity=1, order_type="LIMIT", price=auction["last_price"], auction_number=auction["auction_number"], **{**base, "variety": "auction", "transaction_type": "SELL", "tradingsymbol": auction["tradingsymbol"]}))

show("instruments", lambda: len(kite.instruments()))
show("instruments_nfo", lambda: kite.instruments("NFO")[0])
show("quote", lambda: kite.quote("NSE:INFY", "NSE:NIFTY 50", "NSE:NOSUCH"))
show("ohlc", lambda: kite.ohlc(["NSE:INFY"]))
show("ltp", lambda: kite.ltp("NSE:INFY"))
show("trigger_range", lambda: kite.trigger_range("BUY", "NSE:INFY"))
show("historical_data", lambda: kite.historical_data(int(token), datetime.datetime(2026, 11, 17, 9, 15), datetime.datetime(2026, 11, 17, 9, 30), "5minute", oi=True))
show("historical_too_long", lambda: kite.historical_data(int(token), "2026-01-01 00:00:00", "2026-11-01 00:00:00", "minute"))

gtt_order = [{"transaction_type": "BUY", "quantity": 1, "order_type": "LIMIT", "product": "CNC", "price": 1199}]
gtt = show("place_gtt", lambda: kite.place_gtt("single", "INFY", "NSE", [1200], last, gtt_order))["trigger_id"]
show("modify_gtt", lambda: kite.modify_gtt(gtt, "single", "INFY", "NSE", [1205], last, gtt_order))
show("get_gtt", lambda: kite.get_gtt(gtt))
show("get_gtts", kite.get_gtts)
show("delete_gtt", lambda: kite.delete_gtt(gtt))

sell = {"exchange": "NFO", "tradingsymbol": option, "transaction_type": "SELL", "variety": "regular", "product": "NRML", "order_type": "LIMIT", "quantity": 65, "price": 100}
show("order_margins", lambda: kite.order_margins([sell]))
show("basket_order_margins", lambda: kite.basket_order_margins([sell], consider_positions=True, mode="compact"))
show("get_virtual_contract_note", lambda: kite.get_virtual_contract_note([{**sell, "order_id": "1", "average_price": 100}]))

mf = show("mf_orders", kite.mf_orders)
show("mf_order", lambda: kite.mf_orders(mf[0]["order_id"]))
sips = show("mf_sips", kite.mf_sips)
show("mf_sip", lambda: kite.mf_sips(sips[0]["sip_id"]))
show("mf_holdings", kite.mf_holdings)
show("mf_instruments", kite.mf_instruments)
show("place_mf_order", lambda: kite.place_mf_order("INF000S01011", "BUY", amount=100))



def login_again():
    """A session straight from the simulator."""
    import urllib.request

    request = urllib.request.Request(root + "/_sim/sessions", data=b'{"api_key":"simkey"}', method="POST")
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)["access_token"]


def watch():
    """Subscribes over the feed and places an order: a full tick and an order update must arrive."""
    ticks, orders, texts = [], [], []
    came = threading.Event()

    def on_connect(ws, _response):
        ws.subscribe([int(token)])
        ws.set_mode(ws.MODE_FULL, [int(token)])

    def on_ticks(_ws, batch):
        if not ticks and batch[0]["mode"] == "full":
            ticks.extend(batch)
            kite.place_order(quantity=1, order_type="LIMIT", price=1200, **{**base, "tag": "pyfeed"})

    def on_order_update(_ws, data):
        orders.append(data)
        came.set()

    ticker = KiteTicker("simkey", kite.access_token, root=feed, reconnect=False)
    ticker.on_connect, ticker.on_ticks, ticker.on_order_update = on_connect, on_ticks, on_order_update
    ticker.on_error = lambda _ws, code, reason: texts.append([code, reason])
    ticker.connect(threaded=True)
    came.wait(10)
    return {"ticks": ticks, "orders": orders, "errors": texts}


show("ticker", watch)
show("invalidate_refresh_token", lambda: kite.invalidate_refresh_token(renewed["refresh_token"]))
show("profile_ended", kite.profile)
kite.set_access_token(login_again())
show("invalidate_access_token", kite.invalidate_access_token)
show("profile_dead", kite.profile)
show("hooked", lambda: len(hooked))

// Calls every method of the official Go client against a simulator, ticker included, and prints one JSON line a call.
//
// Arguments: base URL, feed URL, request_token, the option's tradingsymbol, INFY's token, its last price.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	kite "github.com/zerodha/gokiteconnect/v4"
	"github.com/zerodha/gokiteconnect/v4/models"
	ticker "github.com/zerodha/gokiteconnect/v4/ticker"
)

type line struct {
	Name  string      `json:"name"`
	Value interface{} `json:"value,omitempty"`
	Error string      `json:"error,omitempty"`
}

func show[T any](name string, value T, err error) T {
	l := line{Name: name, Value: value}
	if err != nil {
		l = line{Name: name, Error: err.Error()}
		if known, ok := err.(kite.Error); ok {
			l.Error = known.ErrorType
		}
	}
	text, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	return value
}

func main() {
	base, feed, requestToken, option := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	token, _ := strconv.Atoi(os.Args[5])
	last, _ := strconv.ParseFloat(os.Args[6], 64)

	k := kite.New("simkey")
	k.SetBaseURI(base)
	session, err := k.GenerateSession(requestToken, "simsecret")
	show("GenerateSession", session, err)
	k.SetAccessToken(session.AccessToken)
	renewed, err := k.RenewAccessToken(session.RefreshToken, "simsecret")
	show("RenewAccessToken", renewed, err)
	k.SetAccessToken(renewed.AccessToken)

	call(k, option, token, last)
	watch(feed, renewed.AccessToken, k, uint32(token))

	refresh, err := k.InvalidateRefreshToken(renewed.RefreshToken)
	show("InvalidateRefreshToken", refresh, err)
	profile, err := k.GetUserProfile()
	show("GetUserProfile_ended", profile, err)
	k.SetAccessToken(loginAgain(base))
	ended, err := k.InvalidateAccessToken()
	show("InvalidateAccessToken", ended, err)
	profile, err = k.GetUserProfile()
	show("GetUserProfile_dead", profile, err)
}

// loginAgain gets a session straight from the simulator.
func loginAgain(base string) string {
	reply, err := http.Post(base+"/_sim/sessions", "application/json", strings.NewReader(`{"api_key":"simkey"}`))
	if err != nil {
		panic(err)
	}
	defer reply.Body.Close()
	var session struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(reply.Body).Decode(&session); err != nil {
		panic(err)
	}
	return session.AccessToken
}

func call(k *kite.Client, option string, token int, last float64) {
	profile, err := k.GetUserProfile()
	show("GetUserProfile", profile, err)
	full, err := k.GetFullUserProfile()
	show("GetFullUserProfile", full, err)
	margins, err := k.GetUserMargins()
	show("GetUserMargins", margins, err)
	segment, err := k.GetUserSegmentMargins("equity")
	show("GetUserSegmentMargins", segment, err)
	orders(k, option)
	portfolio(k, option)
	market(k, token)
	triggers(k, last)
	calculators(k, option)
	funds(k)
}

func orders(k *kite.Client, option string) {
	params := kite.OrderParams{Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Quantity: 2, Product: "CNC", OrderType: "MARKET", MarketProtection: -1, Tag: "go1"}
	done, err := k.PlaceOrder("regular", params)
	show("PlaceOrder", done, err)
	params.OrderType, params.Price = "LIMIT", 1200
	rest, err := k.PlaceOrder("regular", params)
	show("PlaceOrder_limit", rest, err)
	modified, err := k.ModifyOrder("regular", rest.OrderID, kite.OrderParams{Quantity: 4, Price: 1201.5, OrderType: "LIMIT", Validity: "DAY"})
	show("ModifyOrder", modified, err)
	cancelled, err := k.CancelOrder("regular", rest.OrderID, nil)
	show("CancelOrder", cancelled, err)
	sliced, err := k.PlaceOrder("regular", kite.OrderParams{Exchange: "NFO", Tradingsymbol: option, TransactionType: "BUY", Quantity: 2600, Product: "NRML", OrderType: "LIMIT", Price: 0.05, Autoslice: true})
	show("PlaceOrder_autoslice", sliced, err)
	iceberg := kite.OrderParams{Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Quantity: 4, Product: "CNC", OrderType: "LIMIT", Price: 1200, IcebergLegs: 2, IcebergQty: 2, Validity: "TTL", ValidityTTL: 5}
	legs, err := k.PlaceOrder("iceberg", iceberg)
	show("PlaceOrder_iceberg", legs, err)
	cover := kite.OrderParams{Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Quantity: 1, Product: "MIS", OrderType: "MARKET", MarketProtection: -1, TriggerPrice: 1200}
	covered, err := k.PlaceOrder("co", cover)
	show("PlaceOrder_cover", covered, err)
	amo, err := k.PlaceOrder("amo", params)
	show("PlaceOrder_amo", amo, err)
	exited, err := k.ExitOrder("amo", amo.OrderID, nil)
	show("ExitOrder", exited, err)
	all, err := k.GetOrders()
	show("GetOrders", all, err)
	history, err := k.GetOrderHistory(done.OrderID)
	show("GetOrderHistory", history, err)
	trades, err := k.GetTrades()
	show("GetTrades", trades, err)
	own, err := k.GetOrderTrades(done.OrderID)
	show("GetOrderTrades", own, err)
}

func portfolio(k *kite.Client, option string) {
	bought := kite.OrderParams{Exchange: "NFO", Tradingsymbol: option, TransactionType: "BUY", Quantity: 65, Product: "NRML", OrderType: "MARKET", MarketProtection: -1}
	_, err := k.PlaceOrder("regular", bought)
	show("PlaceOrder_option", true, err)
	converted, err := k.ConvertPosition(kite.ConvertPositionParams{Exchange: "NFO", TradingSymbol: option, OldProduct: "NRML", NewProduct: "MIS", PositionType: "day", TransactionType: "BUY", Quantity: 65})
	show("ConvertPosition", converted, err)
	positions, err := k.GetPositions()
	show("GetPositions", positions, err)
	holdings, err := k.GetHoldings()
	show("GetHoldings", holdings, err)
	summary, err := k.GetHoldingsSummary()
	show("GetHoldingsSummary", summary, err)
	compact, err := k.GetHoldingsCompact()
	show("GetHoldingsCompact", compact, err)
	auctions, err := k.GetAuctionInstruments()
	show("GetAuctionInstruments", auctions, err)
	sale := kite.OrderParams{Exchange: "NSE", Tradingsymbol: auctions[0].TradingSymbol, TransactionType: "SELL", Quantity: 1, Product: "CNC", OrderType: "LIMIT", Price: auctions[0].LastPrice, AuctionNumber: auctions[0].AuctionNumber}
	auction, err := k.PlaceOrder("auction", sale)
	show("PlaceOrder_auction", auction, err)
	auth, err := k.InitiateHoldingsAuth(kite.HoldingAuthParams{Type: "equity", Instruments: []kite.HoldingsAuthInstruments{{ISIN: holdings[0].ISIN, Quantity: 1}}})
	show("InitiateHoldingsAuth", auth, err)
}

func market(k *kite.Client, token int) {
	all, err := k.GetInstruments()
	show("GetInstruments", len(all), err)
	nfo, err := k.GetInstrumentsByExchange("NFO")
	show("GetInstrumentsByExchange", nfo[0], err)
	quote, err := k.GetQuote("NSE:INFY", "NSE:NIFTY 50", "NSE:NOSUCH")
	show("GetQuote", quote, err)
	ohlc, err := k.GetOHLC("NSE:INFY")
	show("GetOHLC", ohlc, err)
	ltp, err := k.GetLTP("NSE:INFY")
	show("GetLTP", ltp, err)
	from := time.Date(2026, 11, 17, 9, 15, 0, 0, time.UTC)
	candles, err := k.GetHistoricalData(token, "5minute", from, from.Add(15*time.Minute), false, true)
	show("GetHistoricalData", candles, err)
}

func triggers(k *kite.Client, last float64) {
	gtt := kite.GTTParams{Tradingsymbol: "INFY", Exchange: "NSE", LastPrice: last, TransactionType: "BUY", Trigger: &kite.GTTSingleLegTrigger{TriggerParams: kite.TriggerParams{TriggerValue: 1200, LimitPrice: 1199, Quantity: 1}}}
	placed, err := k.PlaceGTT(gtt)
	show("PlaceGTT", placed, err)
	gtt.Trigger = &kite.GTTOneCancelsOtherTrigger{Lower: kite.TriggerParams{TriggerValue: 1205, LimitPrice: 1204, Quantity: 1}, Upper: kite.TriggerParams{TriggerValue: 2000, LimitPrice: 2001, Quantity: 1}}
	modified, err := k.ModifyGTT(placed.TriggerID, gtt)
	show("ModifyGTT", modified, err)
	one, err := k.GetGTT(placed.TriggerID)
	show("GetGTT", one, err)
	all, err := k.GetGTTs()
	show("GetGTTs", all, err)
	deleted, err := k.DeleteGTT(placed.TriggerID)
	show("DeleteGTT", deleted, err)

	params := kite.AlertParams{Name: "go", Type: kite.AlertTypeSimple, LHSExchange: "INDICES", LHSTradingSymbol: "NIFTY 50", LHSAttribute: "LastTradedPrice", Operator: kite.AlertOperatorLE, RHSType: "constant", RHSConstant: 1}
	alert, err := k.CreateAlert(params)
	show("CreateAlert", alert, err)
	params.RHSConstant = 2
	changed, err := k.ModifyAlert(alert.UUID, params)
	show("ModifyAlert", changed, err)
	read, err := k.GetAlert(alert.UUID)
	show("GetAlert", read, err)
	history, err := k.GetAlertHistory(alert.UUID)
	show("GetAlertHistory", history, err)
	list, err := k.GetAlerts(map[string]string{"status": "enabled"})
	show("GetAlerts", list, err)
	// The client loses the query of this call.
	show("DeleteAlerts", true, k.DeleteAlerts(alert.UUID))
}

func calculators(k *kite.Client, option string) {
	order := kite.OrderMarginParam{Exchange: "NFO", Tradingsymbol: option, TransactionType: "SELL", Variety: "regular", Product: "NRML", OrderType: "LIMIT", Quantity: 65, Price: 100}
	margins, err := k.GetOrderMargins(kite.GetMarginParams{OrderParams: []kite.OrderMarginParam{order}})
	show("GetOrderMargins", margins, err)
	basket, err := k.GetBasketMargins(kite.GetBasketParams{OrderParams: []kite.OrderMarginParam{order}, ConsiderPositions: true, Compact: true})
	show("GetBasketMargins", basket, err)
	charge := kite.OrderChargesParam{OrderID: "1", Exchange: "NFO", Tradingsymbol: option, TransactionType: "SELL", Variety: "regular", Product: "NRML", OrderType: "LIMIT", Quantity: 65, AveragePrice: 100}
	charges, err := k.GetOrderCharges(kite.GetChargesParams{OrderParams: []kite.OrderChargesParam{charge}})
	show("GetOrderCharges", charges, err)
}

func funds(k *kite.Client) {
	instruments, err := k.GetMFInstruments()
	show("GetMFInstruments", instruments, err)
	orders, err := k.GetMFOrders()
	show("GetMFOrders", orders, err)
	order, err := k.GetMFOrderInfo(orders[0].OrderID)
	show("GetMFOrderInfo", order, err)
	dated, err := k.GetMFOrdersByDate("2026-11-01", "2026-11-30")
	show("GetMFOrdersByDate", dated, err)
	sips, err := k.GetMFSIPs()
	show("GetMFSIPs", sips, err)
	sip, err := k.GetMFSIPInfo(sips[0].ID)
	show("GetMFSIPInfo", sip, err)
	holdings, err := k.GetMFHoldings()
	show("GetMFHoldings", holdings, err)
	holding, err := k.GetMFHoldingInfo(holdings[0].Tradingsymbol)
	show("GetMFHoldingInfo", holding, err)
	isins, err := k.GetMFAllottedISINs()
	show("GetMFAllottedISINs", isins, err)
}

// watch subscribes over the feed and places an order: a tick and an order update must arrive.
func watch(feed string, accessToken string, k *kite.Client, token uint32) {
	root, err := url.Parse(feed)
	if err != nil {
		panic(err)
	}
	t := ticker.New("simkey", accessToken)
	t.SetRootURL(*root)
	t.SetAutoReconnect(false)
	ticks := make(chan models.Tick, 10)
	updates := make(chan kite.Order, 10)
	t.OnConnect(func() {
		t.Subscribe([]uint32{token})
		t.SetMode(ticker.ModeFull, []uint32{token})
	})
	t.OnTick(func(tick models.Tick) {
		if tick.Mode == "full" {
			select {
			case ticks <- tick:
			default:
			}
		}
	})
	t.OnOrderUpdate(func(order kite.Order) { updates <- order })
	go t.Serve()
	show("Ticker_tick", next(ticks), nil)
	k.PlaceOrder("regular", kite.OrderParams{Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Quantity: 1, Product: "CNC", OrderType: "LIMIT", Price: 1200, Tag: "gofeed"})
	show("Ticker_order", next(updates), nil)
	t.Stop()
}

func next[T any](from chan T) T {
	select {
	case value := <-from:
		return value
	case <-time.After(5 * time.Second):
		panic("nothing came within 5 s")
	}
}

package event_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC) }

func receipt() event.Receipt { return event.Receipt{ID: "given-by-service", At: noon()} }

// purchase returns a valid input.
func purchase() event.Input {
	return event.Input{
		UserID:    event.Given("user123"),
		EventType: event.Given("purchase"),
		Metadata: event.Metadata{
			Text:      `{"amount": 100.0}`,
			Canonical: `{"amount":100.0}`,
			Amount:    event.Given("100.0"),
		},
	}
}

func TestNewTakesAndCompletes(t *testing.T) {
	t.Parallel()

	e, faults := event.New(purchase(), receipt())
	if len(faults) > 0 {
		t.Fatalf("New: %v", faults)
	}

	f := e.Snapshot()

	received := noon().Truncate(time.Microsecond)
	if f.ID != "given-by-service" || f.UserID != "user123" || f.Type != eventtype.Purchase ||
		f.Amount != "100.0" ||
		f.Currency != "" ||
		!f.OccurredAt.Equal(received) ||
		!f.ReceivedAt.Equal(received) ||
		f.Metadata != `{"amount": 100.0}` {
		t.Fatalf("snapshot = %+v", f)
	}
}

func TestNewTakesTheAliases(t *testing.T) {
	t.Parallel()
	in := event.Input{
		PartnerID:       event.Given("p1"),
		InteractionType: event.Given("click"),
		VisitorID:       event.Given("v1"),
		SourceURL:       event.Given("https://a.example/x?y=1"),
	}

	e, faults := event.New(in, receipt())
	if f := e.Snapshot(); len(faults) > 0 || f.UserID != "p1" || f.Type != eventtype.Click ||
		f.VisitorID != "v1" ||
		f.SourceURL == "" {
		t.Fatalf("snapshot = %+v, faults %v", f, faults)
	}

	in.UserID, in.EventType = event.Given("p1"), event.Given("click")
	if _, faults := event.New(in, receipt()); len(faults) > 0 {
		t.Fatalf("two spellings that agree: %v", faults)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("é", 129)
	for name, c := range map[string]struct {
		change      func(*event.Input)
		field, code string
	}{
		"no user":               {func(in *event.Input) { in.UserID = event.Text{} }, "user_id", "required"},
		"empty user":            {func(in *event.Input) { in.UserID = event.Given("") }, "user_id", "too_short"},
		"long user":             {func(in *event.Input) { in.UserID = event.Given(long) }, "user_id", "too_long"},
		"line break in user":    {func(in *event.Input) { in.UserID = event.Given("a\nb") }, "user_id", "not_printable"},
		"blank user":            {func(in *event.Input) { in.UserID = event.Given(" ") }, "user_id", "blank_at_end"},
		"blank after order":     {func(in *event.Input) { in.Metadata.OrderID = event.Given("1001 ") }, "metadata.order_id", "blank_at_end"},
		"blank before event":    {func(in *event.Input) { in.EventID = event.Given(" e") }, "event_id", "blank_at_end"},
		"filler as product":     {func(in *event.Input) { in.Metadata.ProductID = event.Given("\u3164") }, "metadata.product_id", "not_printable"},
		"invisible in user":     {func(in *event.Input) { in.UserID = event.Given("a\u200bb") }, "user_id", "not_printable"},
		"other partner":         {func(in *event.Input) { in.PartnerID = event.Given("other") }, "partner_id", "contradiction"},
		"no type":               {func(in *event.Input) { in.EventType = event.Text{} }, "event_type", "required"},
		"unknown type":          {func(in *event.Input) { in.EventType = event.Given("Purchase") }, "event_type", "unknown_event_type"},
		"other interaction":     {func(in *event.Input) { in.InteractionType = event.Given("click") }, "interaction_type", "contradiction"},
		"empty event id":        {func(in *event.Input) { in.EventID = event.Given("") }, "event_id", "too_short"},
		"long event id":         {func(in *event.Input) { in.EventID = event.Given(long) }, "event_id", "too_long"},
		"empty campaign":        {func(in *event.Input) { in.CampaignID = event.Given("") }, "campaign_id", "too_short"},
		"date only":             {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23") }, "occurred_at", "time_malformed"},
		"no zone":               {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T12:00:00") }, "occurred_at", "time_malformed"},
		"short hour":            {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T1:00:00Z") }, "occurred_at", "time_malformed"},
		"comma":                 {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T12:00:00,5Z") }, "occurred_at", "time_malformed"},
		"ten fractional digits": {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T11:00:00.1234567890Z") }, "occurred_at", "time_malformed"},
		"no such day":           {func(in *event.Input) { in.OccurredAt = event.Given("2026-02-30T12:00:00Z") }, "occurred_at", "time_malformed"},
		"too far ahead":         {func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T12:05:01Z") }, "occurred_at", "in_the_future"},
		"before computers":      {func(in *event.Input) { in.OccurredAt = event.Given("1969-12-31T23:59:59Z") }, "occurred_at", "too_early"},
		"relative url":          {func(in *event.Input) { in.SourceURL = event.Given("/x") }, "source_url", "invalid_url"},
		"script url":            {func(in *event.Input) { in.DestinationURL = event.Given("javascript:alert(1)") }, "destination_url", "invalid_url"},
		"long url":              {func(in *event.Input) { in.SourceURL = event.Given("https://a.example/" + strings.Repeat("x", 2048)) }, "source_url", "too_long"},
		"no amount":             {func(in *event.Input) { in.Metadata.Amount = event.Text{} }, "metadata.amount", "required"},
		"negative amount":       {func(in *event.Input) { in.Metadata.Amount = event.Given("-0.01") }, "metadata.amount", "negative"},
		"amount of words":       {func(in *event.Input) { in.Metadata.Amount = event.Given("ten") }, "metadata.amount", "amount_malformed"},
		"amount NaN":            {func(in *event.Input) { in.Metadata.Amount = event.Given("NaN") }, "metadata.amount", "amount_malformed"},
		"three decimals":        {func(in *event.Input) { in.Metadata.Amount = event.Given("1.001") }, "metadata.amount", "amount_too_precise"},
		"thirteen digits":       {func(in *event.Input) { in.Metadata.Amount = event.Given("1000000000000") }, "metadata.amount", "amount_too_large"},
		"huge exponent":         {func(in *event.Input) { in.Metadata.Amount = event.Given("1e99") }, "metadata.amount", "amount_too_large"},
		"unknown currency":      {func(in *event.Input) { in.Metadata.Currency = event.Given("XXX") }, "metadata.currency", "currency_unknown"},
		"small currency":        {func(in *event.Input) { in.Metadata.Currency = event.Given("usd") }, "metadata.currency", "currency_unknown"},
		"currency that ended":   {func(in *event.Input) { in.Metadata.Currency = event.Given("BGN") }, "metadata.currency", "currency_unknown"},
		"self referral yes":     {func(in *event.Input) { in.Metadata.SelfReferral = event.Given("yes") }, "metadata.self_referral", "wrong_type"},
		"empty product":         {func(in *event.Input) { in.Metadata.ProductID = event.Given("") }, "metadata.product_id", "too_short"},
		"long order":            {func(in *event.Input) { in.Metadata.OrderID = event.Given(long) }, "metadata.order_id", "too_long"},
		"bad original":          {func(in *event.Input) { in.Metadata.OriginalEventID = event.Given("\t") }, "metadata.original_event_id", "not_printable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := purchase()
			c.change(&in)

			_, faults := event.New(in, receipt())
			if len(faults) != 1 || faults[0].Field != c.field || faults[0].Code.Name() != c.code {
				t.Fatalf("faults = %v, want %s of %s", faults, c.code, c.field)
			}
		})
	}
}

func TestNewTellsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, faults := event.New(event.Input{
		EventID:    event.Given(""),
		EventType:  event.Given("sale"),
		CampaignID: event.Given("\n"),
		OccurredAt: event.Given("yesterday"),
		Metadata:   event.Metadata{Currency: event.Given("?")},
	}, receipt())

	var got []string
	for _, f := range faults {
		got = append(got, f.Field)
	}

	want := []string{
		"event_id",
		"user_id",
		"occurred_at",
		"campaign_id",
		"metadata.currency",
		"metadata.amount",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("faults of %v, want %v", got, want)
	}
}

func TestBrokenFieldsAreToldOnce(t *testing.T) {
	t.Parallel()
	in := purchase()
	in.UserID = event.Broken()
	in.EventType = event.Broken()

	in.Metadata.Amount = event.Broken()
	if _, faults := event.New(in, receipt()); len(faults) > 0 {
		t.Fatalf("faults = %v; the reader of the wire has reported them", faults)
	}

	var none fault.Fields
	if none.Err() != nil {
		t.Fatal("no faults are an error")
	}
}

func TestAmountsArePlainAndKeepTheirDigits(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"100.0": "100.0", "100": "100", "0": "0", "-0": "0", "-0.00": "0.00", "1e2": "100", "1.5E2": "150", "15e-1": "1.5", "5e-2": "0.05",
		"1.25e1": "12.5", "0.10": "0.10", "1.50e0": "1.50", "100e-2": "1.00", "999999999999.99": "999999999999.99", "0.5e1": "5", "1.2e+1": "12",
		"0e-99": "0.00", "0e99": "0", "1.00000000000000": "1.00", "100000e-5": "1.00", "0." + strings.Repeat("0", 62): "0.00",
	} {
		in := purchase()
		in.Metadata.Amount = event.Given(text)

		e, faults := event.New(in, receipt())
		if got := e.Snapshot().Amount; len(faults) > 0 || got != want {
			t.Errorf("amount %s became %q (%v), want %q", text, got, faults, want)
		}
	}
}

func TestSizeCountsEveryText(t *testing.T) {
	t.Parallel()

	const n = 1000
	text := strings.Repeat("x", n)

	full := event.Snapshot{
		ID:              text,
		UserID:          text,
		CampaignID:      text,
		ProductID:       text,
		OrderID:         text,
		OriginalEventID: text,
		Amount:          text,
		Metadata:        text,
		VisitorID:       text,
		SourceURL:       text,
		DestinationURL:  text,
		Source:          text,
		Attributes:      text,
		Traceparent:     text,
	}
	if got := event.Restore(full).Size() - event.Restore(event.Snapshot{}).Size(); got != 15*n {
		t.Errorf("14 texts of %d bytes, one of them metadata, count as %d", n, got)
	}
}

// An amount has the digits of its currency. An event that reverses another has the currency of that
// event, which only commission knows.
func TestAmountsHaveTheDigitsOfTheirCurrency(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ kind, currency, text, want string }{
		{"purchase", "", "1.005", ""},
		{"view", "", "1.005", ""},
		{"sale", "KWD", "1.0050", "1.005"},
		{"sale", "KWD", "1.0005", ""},
		{"sale", "JPY", "15.0", "15"},
		{"sale", "JPY", "15.5", ""},
		{"refund", "", "1.005", "1.005"},
		{"void", "", "1.00005", ""},
		{"chargeback", "", "1.0005", "1.0005"},
		{"refund", "", "30.00", "30.00"},
		{"refund", "", "1.0000000", "1.0000"},
		{"refund", "USD", "1.005", ""},
	} {
		in := purchase()

		in.EventType, in.Metadata.Amount = event.Given(c.kind), event.Given(c.text)
		if c.currency != "" {
			in.Metadata.Currency = event.Given(c.currency)
		}

		e, faults := event.New(in, receipt())

		refused := len(faults) == 1 && faults[0].Field == "metadata.amount" &&
			faults[0].Code.Name() == "amount_too_precise"
		if got := e.Snapshot().Amount; got != c.want || refused != (c.want == "") {
			t.Errorf(
				"%s of %s %s became %q (%v), want %q",
				c.kind,
				c.text,
				c.currency,
				got,
				faults,
				c.want,
			)
		}
	}
}

func TestHashTellsContents(t *testing.T) {
	t.Parallel()
	hash := func(change func(*event.Input), at time.Time) event.Hash {
		in := purchase()
		change(&in)

		e, faults := event.New(in, event.Receipt{ID: at.String(), At: at})
		if len(faults) > 0 {
			t.Fatal(faults)
		}

		return e.Hash()
	}
	base := hash(func(*event.Input) {}, noon())

	same := map[string]event.Hash{
		"received later": hash(func(*event.Input) {}, noon().Add(time.Hour)),
		"other spelling": hash(
			func(in *event.Input) { in.PartnerID, in.UserID = in.UserID, event.Text{} },
			noon(),
		),
		"other id":   hash(func(in *event.Input) { in.EventID = event.Given("x") }, noon()),
		"attributes": hash(func(in *event.Input) { in.Attributes = `{"shade":"x"}` }, noon()),
		"other spacing": hash(
			func(in *event.Input) { in.Metadata.Text = `{"amount":100.0}` },
			noon(),
		),
	}
	for name, h := range same {
		if h != base {
			t.Errorf("%s: another hash for the same content", name)
		}
	}

	seen := map[event.Hash]string{base: "base"}
	for name, change := range map[string]func(*event.Input){
		"user":          func(in *event.Input) { in.UserID = event.Given("user12") },
		"user+campaign": func(in *event.Input) { in.UserID, in.CampaignID = event.Given("user12"), event.Given("3") },
		"type":          func(in *event.Input) { in.EventType = event.Given("sale") },
		"campaign":      func(in *event.Input) { in.CampaignID = event.Given("c") },
		"visitor":       func(in *event.Input) { in.VisitorID = event.Given("c") },
		"time":          func(in *event.Input) { in.OccurredAt = event.Given("2026-11-23T12:00:00.123456Z") },
		"metadata":      func(in *event.Input) { in.Metadata.Canonical = `{"amount":100.00}` },
		"source":        func(in *event.Input) { in.Source = event.Given("c") },
	} {
		h := hash(change, noon())
		if other, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", name, other)
		}

		seen[h] = name
	}
}

// A currency must be in use at the time of the event; a refund may name one that has ended since.
func TestACurrencyIsValidAtTheTimeOfTheEvent(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		kind, at, currency string
		refused            bool
	}{
		"last day":          {"purchase", "2022-12-31T23:59:59Z", "HRK", false},
		"after the last":    {"purchase", "2023-01-01T00:00:00Z", "HRK", true},
		"in another zone":   {"purchase", "2023-01-01T00:30:00+01:00", "HRK", false},
		"refund afterwards": {"refund", "2023-02-01T00:00:00Z", "HRK", false},
		"without a time":    {"sale", "", "SLL", true},
		"in use":            {"sale", "", "EUR", false},
	} {
		in := purchase()
		in.EventType = event.Given(c.kind)
		in.Metadata.Currency = event.Given(c.currency)

		if c.at != "" {
			in.OccurredAt = event.Given(c.at)
		}

		_, faults := event.New(in, receipt())
		if (len(faults) > 0) != c.refused || c.refused && faults[0].Code.Name() != "currency_unknown" {
			t.Errorf("%s: faults = %v", name, faults)
		}
	}
}

func TestSelfReferralIsTrueOrFalse(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"true", "false"} {
		in := purchase()
		in.Metadata.SelfReferral = event.Given(text)

		if _, faults := event.New(in, receipt()); len(faults) > 0 {
			t.Errorf("%s: faults = %v", text, faults)
		}
	}
}

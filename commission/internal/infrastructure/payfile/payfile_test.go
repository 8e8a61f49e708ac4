package payfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/platform/fault"
	"tributary/platform/money"
)

const (
	batchID = "01a217b8-e46a-7995-a3b0-937790649aff"
	iban    = "DE89370400440532013000"
)

func noon() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }

func payer(t *testing.T) payfile.Payer {
	t.Helper()

	p, faults := payfile.NewPayer("Müller & Söhne", "de89 3704 0044 0532 0130 00", "COBADEFFXXX")
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	return p
}

func format(t *testing.T, name string, payer payfile.Payer) command.Format {
	t.Helper()

	all := payfile.Formats(payer, time.UTC)

	i := slices.IndexFunc(all, func(f command.Format) bool { return f.Name() == name })
	if i < 0 {
		t.Fatalf("no format %s", name)
	}

	return all[i]
}

func currency(t *testing.T, code string) money.Currency {
	t.Helper()

	c, err := money.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// payment returns the payment number n of an account.
func payment(t *testing.T, n int, amount money.Amount, details string) command.Payment {
	t.Helper()

	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)

	opened, err := account.NewReader(nil).Open(payout.Snapshot{ID: id, Details: details})
	if err != nil {
		t.Fatal(err)
	}

	return command.Payment{
		ID:      id,
		UserID:  fmt.Sprintf("user%d", n),
		Amount:  amount,
		Account: opened,
	}
}

// content returns the content of a file of the payments.
func content(currency money.Currency, payments ...command.Payment) command.FileContent {
	total := money.TotalOf(0, currency)
	for _, p := range payments {
		total = total.Add(money.TotalOf(p.Amount.Minor(), currency))
	}

	return command.FileContent{
		Batch: batch.Snapshot{
			ID:       batchID,
			Currency: currency,
			Method:   "any",
			Count:    len(payments),
			Total:    total,
		},
		Payments: payments,
		At:       noon(),
	}
}

func write(t *testing.T, f command.Format, c command.FileContent) string {
	t.Helper()

	var text bytes.Buffer
	if err := f.Write(&text, c); err != nil {
		t.Fatal(err)
	}

	return text.String()
}

// faults returns the faults of a payment, "field:code" each.
func faults(f command.Format, p command.Payment) []string {
	var list []string

	f.CheckPayment(p, func(field string, code *fault.FieldCode, _ string) { list = append(list, field+":"+code.Name()) })

	return list
}

func TestPayPal(t *testing.T) {
	t.Parallel()

	usd := money.USD()
	f := format(t, "paypal-csv", payfile.Payer{})

	got := write(t, f, content(
		usd,
		payment(t, 1, money.FromMinor(123456, usd), `{"email":"mbrown@email.com"}`),
		payment(t, 2, money.FromMinor(5, usd), `{"payer_id":"ABCDEFGH12345","note":"x"}`),
	))

	want := "mbrown@email.com,1234.56,USD," + payout.ShortReference("00000000-0000-4000-8000-000000000001") +
		",,PAYPAL\r\nABCDEFGH12345,0.05,USD," + payout.ShortReference("00000000-0000-4000-8000-000000000002") +
		",,PAYPAL\r\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The published rules: at most 5,000 rows, one currency, no header, an id of at most 30 characters
// without spaces that is unique, amounts with a point and no separators.
func TestPayPalsRulesHoldForALargeFile(t *testing.T) {
	t.Parallel()

	usd := money.USD()

	payments := make([]command.Payment, batch.MaxPayouts)
	for i := range payments {
		payments[i] = payment(t, i, money.FromMinor(int64(i)*1000+1, usd), fmt.Sprintf(`{"email":"u%d@example.com"}`, i))
	}

	rows, err := csv.NewReader(strings.NewReader(
		write(t, format(t, "paypal-csv", payfile.Payer{}), content(usd, payments...)),
	)).ReadAll()
	if err != nil || len(rows) != 5000 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}

	ids := map[string]bool{}
	for i, row := range rows {
		amount, err := money.ParseMajor(row[1], usd)
		if err != nil || amount != payments[i].Amount || row[2] != "USD" || len(row[3]) > 30 ||
			strings.ContainsAny(row[3], " ,") || ids[row[3]] {
			t.Fatalf("row %d: %q", i, row)
		}

		if id, ok := payout.ParseReference(row[3]); !ok || id != payments[i].ID {
			t.Fatalf("row %d names %s", i, id)
		}

		ids[row[3]] = true
	}
}

func TestFaultsOfPayPalAccounts(t *testing.T) {
	t.Parallel()

	f := format(t, "paypal-csv", payfile.Payer{})
	for details, want := range map[string]string{
		`{}`:                              "email:required",
		`{"email":7}`:                     "email:required",
		`{"email":"nobody"}`:              "email:email_invalid",
		`{"email":"A <a@example.com>"}`:   "email:email_invalid",
		`{"email":"ü@example.com"}`:       "email:email_invalid",
		`{"email":"=cmd@example.com"}`:    "email:email_invalid",
		`{"email":"+1@example.com"}`:      "email:email_invalid",
		`{"email":"a@example.com\r\nb"}`:  "email:email_invalid",
		`{"email":"\"a,b\"@example.com"}`: "email:email_invalid",
		`{"email":"` + strings.Repeat("a", 60) + `@` + strings.Repeat("b.", 40) + `com"}`: "email:email_invalid",
		`{"payer_id":"short"}`:         "payer_id:invalid_value",
		`{"email":"a@example.com"}`:    "",
		`{"payer_id":"ABCDEFGH12345"}`: "",
	} {
		got := faults(f, payment(t, 1, money.FromMinor(100, money.USD()), details))
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", details, got, want)
		}
	}

	huf := currency(t, "HUF")
	for minor, want := range map[int64]int{100: 0, 150: 1} {
		p := payment(t, 1, money.FromMinor(minor, huf), `{"email":"a@example.com"}`)
		if got := faults(f, p); len(got) != want {
			t.Errorf("%d HUF: %v", minor, got)
		}
	}

	whole := payment(t, 1, money.FromMinor(12300, huf), `{"email":"a@example.com"}`)
	if got := write(t, f, content(huf, whole)); !strings.HasPrefix(got, "a@example.com,123,HUF,") {
		t.Errorf("%s", got)
	}

	if err := f.CheckBatch(batch.Snapshot{Currency: currency(t, "KWD")}); !errors.Is(err, batch.ErrFormat) {
		t.Errorf("KWD: %v", err)
	}
}

// The bank is to pay on the day that it is where the programme is.
func TestPain001IsOfTheDayOfTheProgramme(t *testing.T) {
	t.Parallel()

	eur := currency(t, "EUR")
	paid := content(eur, payment(t, 1, money.FromMinor(1, eur), `{"name":"A","iban":"`+iban+`"}`))

	for name, want := range map[string]string{
		"UTC":              "2026-11-30T12:00:00Z 2026-11-30",
		"Europe/Berlin":    "2026-11-30T13:00:00+01:00 2026-11-30",
		"Pacific/Auckland": "2026-12-01T01:00:00+13:00 2026-12-01",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}

		created, day, _ := strings.Cut(want, " ")

		got := write(t, payfile.Formats(payer(t), zone)[1], paid)
		if !strings.Contains(got, "<CreDtTm>"+created+"</CreDtTm>") || !strings.Contains(got, "<Dt>"+day+"</Dt>") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPain001(t *testing.T) {
	t.Parallel()

	eur := currency(t, "EUR")
	f := format(t, "pain.001", payer(t))
	got := write(t, f, content(
		eur,
		payment(t, 1, money.FromMinor(150000, eur),
			`{"name":"Ægir Łukasz Straße","iban":"fr14 2004 1010 0505 0001 3m02 606","bic":"psstfrpppar"}`),
		payment(t, 2, money.FromMinor(1, eur), `{"name":"A <B> & C","iban":"`+iban+`"}`),
	))

	for _, part := range []string{
		`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">`,
		`<MsgId>01a217b8e46a7995a3b0937790649aff</MsgId>`,
		`<CreDtTm>2026-11-30T12:00:00Z</CreDtTm>`,
		`<NbOfTxs>2</NbOfTxs>`,
		`<CtrlSum>1500.01</CtrlSum>`,
		`<Nm>Muller + Sohne</Nm>`,
		`<IBAN>DE89370400440532013000</IBAN>`,
		`<BICFI>COBADEFFXXX</BICFI>`,
		`<EndToEndId>00000000000040008000000000000001</EndToEndId>`,
		`<InstdAmt Ccy="EUR">1500.00</InstdAmt>`,
		`<BICFI>PSSTFRPPPAR</BICFI>`,
		`<Nm>AEgir Lukasz Strasse</Nm>`,
		`<IBAN>FR1420041010050500013M02606</IBAN>`,
		`<Nm>A .B. + C</Nm>`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}

	if strings.Contains(got, "Othr") {
		t.Errorf("another name for a bank that has a BIC: %s", got)
	}

	if err := xml.Unmarshal([]byte(got), new(struct{})); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfSEPAAccounts(t *testing.T) {
	t.Parallel()

	eur := currency(t, "EUR")
	f := format(t, "pain.001", payer(t))

	for details, want := range map[string]string{
		`{"name":"A","iban":"` + iban + `"}`:                     "",
		`{"iban":"` + iban + `"}`:                                "name:required",
		`{"name":"A"}`:                                           "iban:required",
		`{"name":"A","iban":"DE89370400440532013001"}`:           "iban:iban_checksum",
		`{"name":"A","iban":"DE8937040044053201300"}`:            "iban:iban_length",
		`{"name":"A","iban":"SA0380000000608010167519"}`:         "iban:iban_country",
		`{"name":"A","iban":"89DE370400440532013000"}`:           "iban:iban_invalid",
		`{"name":"A","iban":"DE89-3704-0044-0532-0130-00"}`:      "iban:iban_invalid",
		`{"name":"Γιώργος","iban":"` + iban + `"}`:               "name:name_not_latin",
		`{"name":" ","iban":"` + iban + `"}`:                     "name:name_not_latin",
		`{"name":"A","iban":"` + iban + `","bic":"COBADEFF"}`:    "",
		`{"name":"A","iban":"` + iban + `","bic":"COBADEFFX"}`:   "bic:bic_invalid",
		`{"name":"Γ","iban":"x","bic":"y"}`:                      "name:name_not_latin iban:iban_invalid bic:bic_invalid",
		`{"name":"A","iban":"` + iban + `","bic":"COBA1EFFXXX"}`: "bic:bic_invalid",
	} {
		got := faults(f, payment(t, 1, money.FromMinor(100, eur), details))
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", details, got, want)
		}
	}

	large := payment(t, 1, money.FromMinor(100_000_000_000, eur), `{"name":"A","iban":"`+iban+`"}`)
	if got := faults(f, large); !slices.Equal(got, []string{":amount_too_large"}) {
		t.Errorf("%v", got)
	}

	if err := f.CheckBatch(batch.Snapshot{Currency: money.USD()}); !errors.Is(err, batch.ErrFormat) {
		t.Errorf("USD: %v", err)
	}

	none := format(t, "pain.001", payfile.Payer{})
	if err := none.CheckBatch(batch.Snapshot{Currency: eur}); !errors.Is(err, batch.ErrFormat) {
		t.Errorf("no payer: %v", err)
	}
}

// The examples of the countries' own registrations.
func TestIBANs(t *testing.T) {
	t.Parallel()

	f := format(t, "pain.001", payer(t))
	for _, text := range strings.Fields(`AD1200012030200359100100 AL47212110090000000235698741
		AT611904300234573201 BE68539007547034 BG80BNBG96611020345678 CH9300762011623852957
		CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000
		DK5000400440116243 EE382200221020145685 ES9121000418450200051332 FI2112345600000785
		FR1420041010050500013M02606 GB29NWBK60161331926819 GI75NWBK000000007099453
		GR1601101250000000012300695 HR1210010051863000160 HU42117730161111101800000000
		IE29AIBK93115212345678 IS140159260076545510730339 IT60X0542811101000000123456
		LI21088100002324013AA LT121000011101001000 LU280019400644750000 LV80BANK0000435195001
		MC5811222000010123456789030 MD24AG000225100013104168 ME25505000012345678951
		MK07250120000058984 MT84MALT011000012345MTLCAST001S NL91ABNA0417164300 NO9386011117947
		PL61109010140000071219812874 PT50000201231234567890154 RO49AAAA1B31007593840000
		RS35260005601001611379 SE4550000000058398257466 SI56263300012039086
		SK3112000000198742637541 SM86U0322509800000000270100 VA59001123000012345678`) {
		p := payment(t, 1, money.FromMinor(1, currency(t, "EUR")), `{"name":"A","iban":"`+text+`"}`)
		if got := faults(f, p); len(got) > 0 {
			t.Errorf("%s: %v", text, got)
		}

		// every change of a digit is found
		for i, c := range text[4:] {
			if c < '0' || c > '9' {
				continue
			}

			wrong := text[:4+i] + string('0'+(c-'0'+1)%10) + text[5+i:]

			p := payment(t, 1, money.FromMinor(1, currency(t, "EUR")), `{"name":"A","iban":"`+wrong+`"}`)
			if got := faults(f, p); !slices.Equal(got, []string{"iban:iban_checksum"}) {
				t.Errorf("%s: %v", wrong, got)
			}
		}
	}
}

func TestTheGeneralFile(t *testing.T) {
	t.Parallel()

	usd := money.USD()
	hostile := payment(t, 1, money.FromMinor(150, usd), `{"email": "a;=1+1@example.com"}`)
	hostile.UserID = "=cmd"

	got := write(t, format(t, "csv", payfile.Payer{}), content(usd, hostile))

	want := "reference,user_id,amount,amount_minor,currency,payment_method,account_details\r\n" +
		"00000000-0000-4000-8000-000000000001,'=cmd,1.50,150,USD,any," +
		`"{""email"":""a\u003b=1+1@example.com""}"` + "\r\n"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestThePayer(t *testing.T) {
	t.Parallel()

	for in, want := range map[[3]string][]string{
		{"", "", ""}:                          {},
		{"A", iban, ""}:                       {},
		{"", iban, ""}:                        {"name"},
		{"A", "", ""}:                         {"iban"},
		{"A", "DE89370400440532013001", "x"}:  {"iban", "bic"},
		{"Ω", "DE8937040044053201300", "COB"}: {"name", "iban", "bic"},
	} {
		_, got := payfile.NewPayer(in[0], in[1], in[2])
		if len(got) != len(want) {
			t.Errorf("%q: %v", in, got)
		}

		for _, part := range want {
			if got[part] == "" {
				t.Errorf("%q: no fault of %s", in, part)
			}
		}
	}
}

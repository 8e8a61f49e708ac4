package payfile

import "encoding/xml"

// The elements of pain.001.001.09 that the file uses, in the order of the schema.

type painDocument struct {
	XMLName     xml.Name        `xml:"Document"`
	Space       string          `xml:"xmlns,attr"`
	Header      painHeader      `xml:"CstmrCdtTrfInitn>GrpHdr"`
	Instruction painInstruction `xml:"CstmrCdtTrfInitn>PmtInf"`
}

type painHeader struct {
	ID    string `xml:"MsgId"`
	At    string `xml:"CreDtTm"`
	Count int    `xml:"NbOfTxs"`
	Sum   string `xml:"CtrlSum"`
	Party string `xml:"InitgPty>Nm"`
}

type painInstruction struct {
	ID       string        `xml:"PmtInfId"`
	Method   string        `xml:"PmtMtd"`
	AsOne    bool          `xml:"BtchBookg"`
	Count    int           `xml:"NbOfTxs"`
	Sum      string        `xml:"CtrlSum"`
	Level    string        `xml:"PmtTpInf>SvcLvl>Cd"`
	Date     string        `xml:"ReqdExctnDt>Dt"`
	Debtor   string        `xml:"Dbtr>Nm"`
	Account  string        `xml:"DbtrAcct>Id>IBAN"`
	Agent    painAgent     `xml:"DbtrAgt"`
	Charges  string        `xml:"ChrgBr"`
	Payments []painPayment `xml:"CdtTrfTxInf"`
}

type painAgent struct {
	BIC   string     `xml:"FinInstnId>BICFI,omitempty"`
	Other *painOther `xml:"FinInstnId>Othr"`
}

type painOther struct {
	ID string `xml:"Id"`
}

type painPayment struct {
	ID       string     `xml:"PmtId>EndToEndId"`
	Amount   painAmount `xml:"Amt>InstdAmt"`
	Agent    *painAgent `xml:"CdtrAgt"`
	Creditor string     `xml:"Cdtr>Nm"`
	Account  string     `xml:"CdtrAcct>Id>IBAN"`
	Text     string     `xml:"RmtInf>Ustrd"`
}

type painAmount struct {
	Currency string `xml:"Ccy,attr"`
	Text     string `xml:",chardata"`
}

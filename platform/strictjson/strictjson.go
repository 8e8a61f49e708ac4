// Package strictjson is the only reader of JSON from outside: request bodies and messages. It
// refuses what other decoders repair or ignore: duplicate keys, unknown members, invalid UTF-8,
// lone surrogates, NUL, text after the value, deep nesting and numbers beyond its limits. Its
// errors never quote the input.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
)

// The limits of accepted JSON.
const (
	MaxDepth    = 32  // objects and arrays within each other
	MaxNumber   = 100 // characters of a number
	MaxExponent = 300 // magnitude of a number's exponent
)

// Check reads data once. It returns nil if data is one strict JSON value, and otherwise a
// *fault.Error of kind Malformed with one of the codes json_empty, json_syntax, json_duplicate_key,
// json_invalid_utf8, json_byte_order_mark, json_nul, json_too_deep, json_trailing_text or
// json_number_range.
func Check(data []byte) error {
	_, err := Measure(data, math.MaxInt)
	return err
}

// Measure is Check that also returns the approximate number of bytes that the value takes in memory
// when decoded into maps, slices and strings. A value of more than maxValues values, itself
// included, is a *fault.Error of kind TooLarge with code json_too_many_values.
func Measure(data []byte, maxValues int) (size int64, err error) {
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		return 0, ErrByteOrderMark.New(
			"The body begins with a byte order mark (EF BB BF); send the JSON without it.",
		)
	}

	if len(bytes.TrimSpace(data)) == 0 {
		return 0, ErrEmpty.New(
			"The body is empty; a JSON value is expected.")
	}

	c := <-checks
	defer func() { checks <- c }()

	c.source = *bytes.NewBuffer(data)
	c.decoder.Reset(&c.source)
	c.maxValues = maxValues
	c.values = 0
	c.size = int64(len(data))
	err = c.walk(data)
	c.source = bytes.Buffer{}
	c.decoder.Reset(&c.source) // releases the text

	return c.size, err
}

const byteOrderMark = "\xef\xbb\xbf"

// The memory of values beside their text, measured with maps of one to eight members, slices and
// strings behind interfaces.
const (
	sizeOfObject = 340
	sizeOfName   = 16
	sizeOfMany   = 150 // a name beyond the eighth of an object: the decoder keeps a table of them
	sizeOfArray  = 48
	sizeOfScalar = 32
)

// check is the state of a pass. It is pooled, since its tables of names are the main cost of a
// check.
type check struct {
	source    bytes.Buffer // the decoder reads it in place
	decoder   jsontext.Decoder
	maxValues int
	values    int
	size      int64
}

// checks are as many as can run at a time: a check of many names takes several times its text, and
// more checks than processors are no faster.
//
//nolint:gochecknoglobals // a pool is the process's own, as memory is
var checks = newChecks()

const maxChecks = 8

func newChecks() chan *check {
	n := min(runtime.GOMAXPROCS(0), maxChecks)

	pool := make(chan *check, n)
	for range n {
		pool <- new(check)
	}

	return pool
}

func (c *check) walk(data []byte) error {
	decoder := &c.decoder

	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return syntax(data, err)
		}

		if err := checkToken(decoder, token); err != nil {
			return err
		}

		if err := c.count(token.Kind()); err != nil {
			return err
		}

		if decoder.StackDepth() == 0 {
			break
		}
	}

	switch _, err := decoder.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	default:
		return ErrTrailingText.New(
			fmt.Sprintf(
				"The JSON value ends at byte %d; nothing may follow it.",
				decoder.InputOffset(),
			),
		)
	}
}

// count adds the memory of a token.
func (c *check) count(kind jsontext.Kind) error {
	switch kind {
	case jsontext.KindBeginObject:
		c.size += sizeOfObject
	case jsontext.KindBeginArray:
		c.size += sizeOfArray
	case jsontext.KindString:
		parent, length := c.decoder.StackIndex(c.decoder.StackDepth())
		if parent == jsontext.KindBeginObject && length%2 == 1 { // the name of a member
			c.size += sizeOfName
			if length > 2*8 {
				c.size += sizeOfMany
			}

			return nil
		}

		c.size += sizeOfScalar
	case jsontext.KindNumber, jsontext.KindNull, jsontext.KindFalse, jsontext.KindTrue:
		c.size += sizeOfScalar
	case jsontext.KindEndObject, jsontext.KindEndArray, jsontext.KindInvalid:
		return nil
	}

	if c.values++; c.values <= c.maxValues {
		return nil
	}

	return ErrTooManyValues.New(
		fmt.Sprintf("The body contains more than %d JSON values. Send fewer in one request.", c.maxValues),
	)
}

func checkToken(decoder *jsontext.Decoder, token jsontext.Token) error {
	switch token.Kind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		if decoder.StackDepth() > MaxDepth {
			return ErrTooDeep.New(
				fmt.Sprintf(
					"Objects and arrays are nested more than %d levels deep at byte %d.",
					MaxDepth,
					decoder.InputOffset(),
				),
			)
		}
	case jsontext.KindString:
		if strings.IndexByte(token.String(), 0) >= 0 {
			return ErrNUL.New(
				fmt.Sprintf(
					"A string before byte %d contains the character NUL.",
					decoder.InputOffset(),
				),
			)
		}
	case jsontext.KindNumber:
		if !sane(token.String()) {
			return ErrNumberRange.New(
				fmt.Sprintf(
					"The number before byte %d is too long or too large.",
					decoder.InputOffset(),
				),
			)
		}
	case jsontext.KindNull,
		jsontext.KindFalse,
		jsontext.KindTrue,
		jsontext.KindEndObject,
		jsontext.KindEndArray,
		jsontext.KindInvalid:
	}

	return nil
}

// sane reports whether the text of a JSON number is short and its exponent small.
func sane(number string) bool {
	if len(number) > MaxNumber {
		return false
	}

	for i, c := range number {
		if c == 'e' || c == 'E' {
			exponent, err := strconv.Atoi(number[i+1:])
			return err == nil && exponent <= MaxExponent && exponent >= -MaxExponent
		}
	}

	return true
}

// Unmarshal reads strict JSON into v, a pointer. Member names match exactly, and unknown ones are
// refused. It does not repeat Check's limits on depth, NUL and numbers. The returned *fault.Error
// is Malformed for bad syntax (codes as in Check) and validation_failed, naming the field, for a
// value of the wrong type or an unknown member.
func Unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}

	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return syntax(data, err)
	}

	if f, ok := fault.As(semantic.Err); ok {
		return f
	}

	var fields fault.Fields
	if errors.Is(err, json.ErrUnknownName) {
		fields.Add(path(semantic.JSONPointer), fault.ErrUnknownField, "is not a field of this request")
	} else {
		fields.Add(path(semantic.JSONPointer), fault.ErrWrongType, "is of another type than expected")
	}

	return fields.Err()
}

func syntax(data []byte, err error) error {
	if !utf8.Valid(data) {
		return ErrInvalidUTF8.New(
			"The body is not valid UTF-8.")
	}

	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return ErrSyntax.New(
			"The JSON value ends before it is complete.")
	}

	var s *jsontext.SyntacticError
	if !errors.As(err, &s) {
		return ErrSyntax.Because(err, "The body is not JSON.")
	}

	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return ErrDuplicateKey.New(
			fmt.Sprintf("An object contains a key twice before byte %d.", s.ByteOffset),
		)
	case surrogateAt(data, s.ByteOffset):
		return ErrInvalidUTF8.New(
			fmt.Sprintf("The string at byte %d contains a lone surrogate.", s.ByteOffset),
		)
	}

	return ErrSyntax.New(
		fmt.Sprintf("The body is not JSON at byte %d.", s.ByteOffset),
	)
}

// surrogateAt reports whether the text at the offset is an escape from \ud800 to \udfff.
func surrogateAt(data []byte, offset int64) bool {
	rest := data[min(int(offset), len(data)):]

	return len(rest) >= 4 && rest[0] == '\\' && rest[1] == 'u' &&
		(rest[2] == 'd' || rest[2] == 'D') &&
		strings.IndexByte("89abcdefABCDEF", rest[3]) >= 0
}

// path turns a JSON pointer (/events/3/user_id) into the path of a field fault (events[3].user_id).
func path(pointer jsontext.Pointer) string {
	var out []byte
	for token := range pointer.Tokens() {
		if _, err := strconv.Atoi(token); err == nil && len(out) > 0 {
			out = append(append(append(out, '['), token...), ']')
			continue
		}

		if len(out) > 0 {
			out = append(out, '.')
		}

		out = append(out, token...)
	}

	return fault.Name(string(out))
}

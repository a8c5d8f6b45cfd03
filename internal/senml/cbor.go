package senml

import (
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

var (
	encoder = must(cbor.EncOptions{
		ShortestFloat: cbor.ShortestFloat16, // as short as loses nothing
	}.EncMode())
	decoder = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthAllowed, // RFC 8428 section 6 lets constrained devices stream
		MaxNestedLevels:  4,
		MaxArrayElements: MaxRecords,
		MaxMapPairs:      32,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode())
)

// must is for options that are written above.
func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

// MarshalCBOR checks the pack and encodes it (RFC 8428 section 6), media type
// application/senml+cbor.
func (p Pack) MarshalCBOR() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	b, err := encoder.Marshal([]Record(p))
	if err == nil && len(b) > MaxSize {
		return nil, fmt.Errorf("%w: %d octets of %d", ErrLimit, len(b), MaxSize)
	}
	return b, err
}

// UnmarshalCBOR decodes a pack and checks it. Labels that this package does not
// know are passed over, as RFC 8428 section 4.4 asks.
func (p *Pack) UnmarshalCBOR(b []byte) error {
	if len(b) > MaxSize {
		return fmt.Errorf("%w: %d octets of %d", ErrLimit, len(b), MaxSize)
	}
	var records []Record
	if err := decoder.Unmarshal(b, &records); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := understand(b); err != nil {
		return err
	}
	if err := Pack(records).Validate(); err != nil {
		return err
	}
	*p = records
	return nil
}

// understand refuses labels that end in an underscore: whoever does not know
// them must not go on (RFC 8428 section 4.4).
func understand(b []byte) error {
	var records []map[any]cbor.RawMessage
	if err := decoder.Unmarshal(b, &records); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for i, r := range records {
		for label := range r {
			if s, ok := label.(string); ok && strings.HasSuffix(s, "_") {
				return fmt.Errorf("%w: record %d: label %q must be understood", ErrInvalid, i, s)
			}
		}
	}
	return nil
}

// Encode is MarshalCBOR under the name that callers look for.
func Encode(p Pack) ([]byte, error) { return p.MarshalCBOR() }

// Decode returns the pack in b.
func Decode(b []byte) (Pack, error) {
	var p Pack
	err := p.UnmarshalCBOR(b)
	return p, err
}

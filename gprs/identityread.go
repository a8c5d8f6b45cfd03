package gprs

import (
	"context"
	"errors"

	"github.com/telemodem/telemodem/at"
)

// firstLine runs a command that takes what has no name in its answer, too,
// and gives the first line that parse accepts.
func firstLine[T any](ctx context.Context, r *Radio, text string, parse func(string) (T, error)) (T, error) {
	res, err := r.patient(ctx, at.Command{Text: text, FreeText: true})
	var none T
	if err != nil {
		return none, err
	}
	err = error(parseError("", "AT%s: nothing but a result code", text))
	for _, info := range res.Info {
		var v T
		if v, err = parse(info.Text); err == nil {
			return v, nil
		}
	}
	return none, err
}

// ICCID reads the number of the SIM card.
func (r *Radio) ICCID(ctx context.Context) (string, error) {
	var firstErr error
	for _, text := range r.quirks.iccidCommands() {
		id, err := firstLine(ctx, r, text, ParseICCID)
		if err == nil {
			return id, nil
		}
		if firstErr == nil {
			firstErr = err
		}
		var parse *ParseError
		if !refused(err) && !errors.As(err, &parse) {
			return "", err
		}
	}
	return "", firstErr
}

// IMSI reads the subscriber's identity.
func (r *Radio) IMSI(ctx context.Context) (string, error) {
	return firstLine(ctx, r, "+CIMI", ParseIMSI)
}

// OwnNumber reads the subscriber's number, which many SIMs do not hold: then
// the result is empty, without an error.
func (r *Radio) OwnNumber(ctx context.Context) (string, error) {
	number, err := firstLine(ctx, r, "+CNUM", ParseOwnNumber)
	var parse *ParseError
	if errors.As(err, &parse) {
		return "", nil
	}
	return number, err
}

// SMSC reads the number of the message centre.
func (r *Radio) SMSC(ctx context.Context) (string, error) {
	return firstLine(ctx, r, "+CSCA?", ParseSMSC)
}

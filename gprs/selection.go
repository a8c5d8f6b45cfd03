package gprs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Operator asks for the current operator.
func (r *Radio) Operator(ctx context.Context) (Operator, error) {
	return firstLine(ctx, r, "+COPS?", ParseOperator)
}

// Limits of +COPS: a scan takes up to three minutes by most manuals, and
// ModemManager waits 315 s.
const (
	scanTimeout   = 315 * time.Second
	selectTimeout = 180 * time.Second
)

// Scan looks for networks: minutes during which nothing else is answered and
// a data call may starve, so a waiting command of higher priority may abort
// it. ctx ends it.
func (r *Radio) Scan(ctx context.Context) ([]Operator, error) {
	res, err := r.c.Command(ctx, at.Command{Text: "+COPS=?", Timeout: scanTimeout, Abortable: true, Priority: at.PriorityBackground})
	if err != nil {
		return nil, err
	}
	for _, info := range res.Info {
		if strings.HasPrefix(info.Text, "+COPS:") {
			return ParseOperators(info.Text)
		}
	}
	return nil, parseError("", "AT+COPS=?: nothing but a result code")
}

// SelectOperator chooses the network with the given code ("26202"), by the
// given technology or, if that is unknown, by any. With fallback the modem
// goes on by itself if that network does not take it.
func (r *Radio) SelectOperator(ctx context.Context, code string, t Technology, fallback bool) error {
	if !isDigits(code) || len(code) < 5 || len(code) > 6 {
		return at.ErrInvalid
	}
	text := "+COPS=1,2,\"" + code + "\""
	if fallback {
		text = "+COPS=4,2,\"" + code + "\""
	}
	if act := slices.Index(actTechnologies[:], t); t != TechnologyUnknown && act >= 0 {
		text += "," + string("0123456789ABCDEF"[act])
	}
	_, err := r.c.Command(ctx, at.Command{Text: text, Timeout: selectTimeout})
	return err
}

// SelectAutomatically gives the choice of the network back to the modem. Some
// modems answer ERROR although they do it (SARA), so the mode is read back.
func (r *Radio) SelectAutomatically(ctx context.Context) error {
	_, err := r.c.Command(ctx, at.Command{Text: "+COPS=0", Timeout: selectTimeout})
	if err != nil && refused(err) {
		if op, readErr := r.Operator(ctx); readErr == nil && op.Selection == SelectionAutomatic {
			return nil
		}
	}
	return err
}

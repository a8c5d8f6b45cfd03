package sms

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/internal/testform"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// setupPauses are waited between the tries of a command that fails while the
// SIM is still busy after the start (fault F30: up to 20 s).
var setupPauses = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}

// routing is how messages reach us, as set on the modem.
type routing struct {
	storages    []string // where messages may lie; the first one is selected
	memories    int      // how many +CPMS has
	indications string   // what +CNMI was set to
}

// Setup brings the modem into the state that sending and receiving need: PDU
// mode, storages, notifications (3GPP TS 27.005 clauses 3.1, 3.2.2, 3.2.3,
// 3.4.1). Send and Receive call it by themselves when it is needed, and so it
// is after each reboot of the modem that was noticed; a session calls it when
// it knows better. It returns the first refusal.
func (s *Service) Setup(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	return s.setup(ctx)
}

// ensureSetup sets the modem up unless that has been done since its last boot.
// The caller holds the lock.
func (s *Service) ensureSetup(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	return s.setup(ctx)
}

func (s *Service) setup(ctx context.Context) error {
	generation := s.generation.Load()
	if err := s.selectMode(ctx); err != nil {
		return err
	}
	var chosen routing
	var err error
	if chosen.storages, chosen.memories, err = s.selectStorages(ctx); err != nil {
		return fmt.Errorf("sms: message storage: %w", err)
	}
	direct := s.phase2plus(ctx)
	s.acknowledged.Store(direct)
	if chosen.indications, err = s.selectIndications(ctx, direct); err != nil {
		return fmt.Errorf("sms: notifications: %w", err)
	}
	s.routing = chosen
	if err := s.setServiceCentre(ctx); err != nil {
		return fmt.Errorf("sms: service centre: %w", err)
	}
	if err := s.setBroadcasts(ctx); err != nil {
		return fmt.Errorf("sms: cell broadcast: %w", err)
	}
	if s.generation.Load() == generation {
		s.ready.Store(true)
	}
	return nil
}

// selectMode selects PDU mode, or text mode where the modem has no other.
func (s *Service) selectMode(ctx context.Context) error {
	if s.cfg.Quirks.TextMode {
		if err := s.setupText(ctx); err != nil {
			return fmt.Errorf("sms: text mode: %w", err)
		}
		return nil
	}
	if _, err := s.patiently(ctx, at.Command{Text: "+CMGF=0"}); err != nil {
		return fmt.Errorf("sms: PDU mode: %w", err)
	}
	return nil
}

// phase2plus selects the message service (TS 27.005 clause 3.2.1): with
// acknowledgments if messages are to be handed over directly, and without
// otherwise, because a lost +CNMA stops delivery. It tells which it is.
func (s *Service) phase2plus(ctx context.Context) bool {
	if s.cfg.Quirks.Direct && s.cfg.Store != nil && !s.cfg.Quirks.TextMode {
		_, err := s.patiently(ctx, at.Command{Text: "+CSMS=1"})
		if err == nil && !s.acknowledged.Load() {
			s.denyOlder(ctx)
		}
		return err == nil
	}
	_, _ = s.patiently(ctx, at.Command{Text: "+CSMS=0"}) // refused where there is no choice
	return false
}

// denyOlder has the network send again what was handed over to a program that
// ended before it acknowledged that. Without it the modem would wait until the
// network's time is over, and then hand nothing over any more, whatever was set
// meanwhile (TS 27.005 clause 3.4.4). Where there is no such message the modem
// refuses (+CMS ERROR: 340).
func (s *Service) denyOlder(ctx context.Context) {
	_, _ = s.modem.Command(ctx, at.Command{Text: notSafe, Timeout: acknowledgeLimit})
}

// setServiceCentre gives the SIM the number of Config if it has none (CMS
// ERROR 330 would be the answer to every message).
func (s *Service) setServiceCentre(ctx context.Context) error {
	if s.cfg.ServiceCentre == "" {
		return nil
	}
	if _, err := tpdu.ParseAddress(s.cfg.ServiceCentre); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	resp, err := s.patiently(ctx, at.Command{Text: "+CSCA?"})
	if err != nil && !refused(err) {
		return err
	}
	if number, _, _ := strings.Cut(parameters(resp, "+CSCA"), ","); strings.Trim(number, `" `) != "" {
		return nil
	}
	_, err = s.patiently(ctx, at.Command{Text: `+CSCA="` + s.cfg.ServiceCentre + `"`})
	return err
}

// prepared sets the modem up if that is due and returns the storages where
// messages may lie. Once in a while it looks whether the modem still notifies.
func (s *Service) prepared(ctx context.Context, check bool) ([]string, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	if s.ready.Load() && check && s.routingLost(ctx) {
		s.ready.Store(false)
		s.event(Event{Kind: EventRoutingLost})
	}
	if err := s.ensureSetup(ctx); err != nil {
		return nil, err
	}
	if len(s.routing.storages) == 0 {
		return []string{""}, nil // a modem with a single, unnamed storage
	}
	return s.routing.storages, nil
}

// routingLost tells whether the modem says that its notifications are not as
// they were set (faults F50, F102).
func (s *Service) routingLost(ctx context.Context) bool {
	resp, err := s.modem.Command(ctx, at.Command{Text: "+CNMI?", Timeout: s.cfg.commandTimeout()})
	now := strings.ReplaceAll(parameters(resp, "+CNMI"), " ", "")
	return err == nil && now != "" && !strings.HasPrefix(now, s.routing.indications[:3])
}

// patiently runs a command again while the modem says that it is not ready yet.
func (s *Service) patiently(ctx context.Context, cmd at.Command) (at.Response, error) {
	cmd.Timeout = s.cfg.commandTimeout()
	for _, pause := range setupPauses {
		resp, err := s.modem.Command(ctx, cmd)
		if err == nil || !starting(err) {
			return resp, err
		}
		if err := sleep(ctx, pause); err != nil {
			return at.Response{}, err
		}
	}
	return s.modem.Command(ctx, cmd)
}

// starting tells whether an error is one that a modem gives while it starts:
// SIM busy (TS 27.007: 14; TS 27.005: 314), and 515 "please wait" of Wavecom.
func starting(err error) bool {
	var cme at.CMEError
	if errors.As(err, &cme) {
		return cme.Code == 14 || cme.Code == 515
	}
	var cms at.CMSError
	return errors.As(err, &cms) && cms.Code == 314
}

// selectStorages sets all memories to the best storage that the modem offers
// and has room in, and returns what it offers for reading. A modem without
// +CPMS (Nokia phones) has none to select.
func (s *Service) selectStorages(ctx context.Context) (storages []string, memories int, err error) {
	resp, err := s.patiently(ctx, at.Command{Text: "+CPMS=?"})
	if refused(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	groups, err := testform.Parse(parameters(resp, "+CPMS"))
	if err != nil || len(groups) == 0 {
		return nil, 0, fmt.Errorf("the answer to +CPMS=? makes no sense: %w", err)
	}
	var failure error
	for _, name := range s.cfg.storages() {
		if !groups[len(groups)-1].HasString(name) {
			continue
		}
		if failure = s.selectStorage(ctx, name, len(groups)); failure == nil {
			return readable(groups[0], name), len(groups), nil
		}
	}
	if failure == nil {
		failure = fmt.Errorf("none of %v is offered", s.cfg.storages())
	}
	return nil, 0, failure
}

// readable lists the storages of a group with the chosen one first. MT is the
// sum of others and would show each message twice.
func readable(g testform.Group, chosen string) []string {
	names := []string{chosen}
	for _, n := range g.Strings {
		if n != chosen && n != "MT" && n != "BM" && n != "TA" && len(n) == 2 {
			names = append(names, n)
		}
	}
	return names
}

// selectStorage sets every memory to one storage: modems differ in which of
// the three they look at (fault F52), and a capacity of 0 is no storage.
func (s *Service) selectStorage(ctx context.Context, name string, memories int) error {
	list := strings.Repeat(`,"`+name+`"`, memories)[1:]
	resp, err := s.patiently(ctx, at.Command{Text: "+CPMS=" + list})
	if err != nil {
		return err
	}
	used, total, ok := counts(parameters(resp, "+CPMS"))
	if ok && total == 0 {
		return fmt.Errorf("storage %q has no room at all", name)
	}
	if ok {
		s.cfg.Logger.Debug("message storage selected", "storage", name, "used", used, "total", total)
	}
	s.selected = name
	return nil
}

// counts reads the first pair of numbers in +CPMS: 3,20,3,20,3,20.
func counts(text string) (used, total int, ok bool) {
	fields := strings.Split(text, ",")
	if len(fields) < 2 {
		return 0, 0, false
	}
	used, errUsed := strconv.Atoi(strings.TrimSpace(fields[0]))
	total, errTotal := strconv.Atoi(strings.TrimSpace(fields[1]))
	return used, total, errUsed == nil && errTotal == nil
}

// selectIndications asks to be told of each stored message (<mt> 1) and given
// each status report (<ds>), in the best form the modem has. What +CNMI=?
// offers is not always what it takes, so refusals go on to the next form.
func (s *Service) selectIndications(ctx context.Context, direct bool) (set string, err error) {
	resp, err := s.patiently(ctx, at.Command{Text: "+CNMI=?"})
	if err != nil && !refused(err) {
		return "", err
	}
	groups, perr := testform.Parse(parameters(resp, "+CNMI"))
	if err != nil || perr != nil || len(groups) < 5 {
		groups = anyIndications
	}
	bm := preferred(groups[2], 2, 0)
	bfr := preferred(groups[4], 0, 1)
	mts := []int{1}
	if direct && groups[1].Has(2) {
		mts = []int{2, 1}
	}
	var failure error
	for _, mt := range mts {
		for _, ds := range []int{1, 2, 0} {
			for _, mode := range s.cfg.indicationModes() {
				if !groups[0].Has(mode) || !groups[3].Has(ds) {
					continue
				}
				set = fmt.Sprintf("%d,%d,%d,%d,%d", mode, mt, bm, ds, bfr)
				_, failure = s.patiently(ctx, at.Command{Text: "+CNMI=" + set})
				if failure == nil || !refused(failure) {
					return set, failure
				}
			}
		}
	}
	if failure == nil {
		failure = errors.New("the modem offers no form of +CNMI that tells of new messages")
	}
	return "", failure
}

// anyIndications stands in for a +CNMI=? that cannot be had: try and see.
var anyIndications = []testform.Group{
	{Ranges: []testform.Range{{First: 0, Last: 3}}}, {Ranges: []testform.Range{{First: 0, Last: 3}}},
	{Ranges: []testform.Range{{First: 0, Last: 0}}}, {Ranges: []testform.Range{{First: 0, Last: 2}}},
	{Ranges: []testform.Range{{First: 0, Last: 1}}},
}

func preferred(g testform.Group, first, otherwise int) int {
	if g.Has(first) {
		return first
	}
	return otherwise
}

// refused tells whether the modem itself said no, in whatever words.
func refused(err error) bool {
	var cme at.CMEError
	var cms at.CMSError
	var result at.ResultError
	return errors.As(err, &cme) || errors.As(err, &cms) || errors.As(err, &result)
}

// parameters returns what follows "prefix:" in the first line that has it.
func parameters(resp at.Response, prefix string) string {
	for _, info := range resp.Info {
		if rest, ok := strings.CutPrefix(info.Text, prefix+":"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

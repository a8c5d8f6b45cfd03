package gprs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Contexts runs the commands for packet data on one Commander: attachment,
// definition, authentication, activation, addresses. It keeps nothing; all
// methods may be called by several goroutines at once.
type Contexts struct {
	c      at.Commander
	quirks *Quirks
}

// NewContexts returns the contexts of the modem behind c; quirks may be nil.
func NewContexts(c at.Commander, quirks *Quirks) *Contexts {
	return &Contexts{c: c, quirks: quirks.or()}
}

// Limits by the longest that a maker's manual gives.
const (
	activateTimeout   = 150 * time.Second // SIM800, Quectel: +CGACT
	deactivateTimeout = 40 * time.Second  // Quectel: QIDEACT
	detachTimeout     = 75 * time.Second  // SIM800: +CGATT
)

// Attached tells whether the modem is attached to the packet service.
func (c *Contexts) Attached(ctx context.Context) (bool, error) {
	res, err := c.c.Command(ctx, at.Command{Text: "+CGATT?"})
	if err != nil {
		return false, err
	}
	for _, info := range res.Info {
		return ParseAttached(info.Text)
	}
	return false, parseError("", "AT+CGATT?: nothing but a result code")
}

// Attach attaches to the packet service and checks that it is so: some modems
// claim it before it is true. A modem that does not have the command attaches
// when it dials, so its refusal of the question is no error.
func (c *Contexts) Attach(ctx context.Context) error {
	attached, err := c.Attached(ctx)
	if attached || err != nil && unsupported(err) {
		return nil
	}
	if err != nil && !refused(err) {
		var parse *ParseError
		if !errors.As(err, &parse) {
			return err
		}
	}
	if _, err := c.c.Command(ctx, at.Command{Text: "+CGATT=1", Timeout: c.quirks.attachTimeout()}); err != nil {
		return err
	}
	if attached, err = c.Attached(ctx); err == nil && !attached {
		return errNotAttached
	}
	return err
}

var errNotAttached = errors.New("the modem accepted +CGATT=1 but is not attached")

// Detach leaves the packet service and with it every context.
func (c *Contexts) Detach(ctx context.Context) error {
	_, err := c.c.Command(ctx, at.Command{Text: "+CGATT=0", Timeout: detachTimeout})
	return err
}

// Define writes the definition of a context, unless the modem has it so
// already, and its user and password by the profile's way. A refusal is
// repeated once: some modems fail the first one after a cold start.
func (c *Contexts) Define(ctx context.Context, d Context) error {
	if !c.quirks.NoDefine {
		apn, err := at.Quote(d.APN)
		if err != nil {
			return fmt.Errorf("APN: %w", err)
		}
		if same, err := c.defined(ctx, d); err != nil {
			return err
		} else if !same {
			text := fmt.Sprintf(`+CGDCONT=%d,"%s",%s`, d.id(), d.pdpType(), apn)
			if err := c.twice(ctx, at.Command{Text: text}); err != nil {
				return err
			}
		}
	}
	return c.authenticate(ctx, d)
}

// defined tells whether the modem has the context as asked for. A modem that
// does not tell has not.
func (c *Contexts) defined(ctx context.Context, d Context) (bool, error) {
	res, err := c.c.Command(ctx, at.Command{Text: "+CGDCONT?"})
	if err != nil {
		if refused(err) {
			return false, nil
		}
		return false, err
	}
	for _, info := range res.Info {
		have, err := ParseDefinition(info.Text)
		if err == nil && have.ID == d.id() && have.Type == d.pdpType() && have.APN == d.APN {
			return true, nil
		}
	}
	return false, nil
}

func (c *Contexts) twice(ctx context.Context, cmd at.Command) error {
	_, err := c.c.Command(ctx, cmd)
	if err == nil || !refused(err) {
		return err
	}
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	_, err = c.c.Command(ctx, cmd)
	return err
}

func (c *Contexts) authenticate(ctx context.Context, d Context) error {
	if d.User == "" && d.Password == "" || c.quirks.NoAuth {
		return nil
	}
	text, err := fillTemplate(c.quirks.auth(), d)
	if err != nil {
		return fmt.Errorf("user or password: %w", err)
	}
	return c.twice(ctx, at.Command{Text: text, Sensitive: true})
}

// Activate activates a context. If that fails it is deactivated once and tried
// again, which cures BG9x and others.
func (c *Contexts) Activate(ctx context.Context, id int) error {
	cmd := at.Command{Text: "+CGACT=1," + strconv.Itoa(id), Timeout: activateTimeout}
	_, err := c.c.Command(ctx, cmd)
	if err == nil || !refused(err) {
		return err
	}
	if stop := c.Deactivate(ctx, id); stop != nil && !refused(stop) {
		return stop
	}
	_, err = c.c.Command(ctx, cmd)
	return err
}

// Deactivate deactivates a context.
func (c *Contexts) Deactivate(ctx context.Context, id int) error {
	_, err := c.c.Command(ctx, at.Command{Text: "+CGACT=0," + strconv.Itoa(id), Timeout: deactivateTimeout})
	return err
}

// Active tells whether a context is active. It is what the modem believes: see
// a Bearer's probe for the truth.
func (c *Contexts) Active(ctx context.Context, id int) (bool, error) {
	res, err := c.c.Command(ctx, at.Command{Text: "+CGACT?"})
	if err != nil {
		return false, err
	}
	for _, info := range res.Info {
		if got, active, err := ParseActive(info.Text); err == nil && got == id {
			return active, nil
		}
	}
	return false, nil
}

// Addresses reads what the network gave to a context: all by +CGCONTRDP, or
// the addresses alone by +CGPADDR.
func (c *Contexts) Addresses(ctx context.Context, id int) (Addresses, error) {
	all := Addresses{ID: id}
	res, err := c.c.Command(ctx, at.Command{Text: "+CGCONTRDP=" + strconv.Itoa(id)})
	if err != nil && !refused(err) {
		return all, err
	}
	for _, info := range res.Info {
		if one, err := ParseDynamic(info.Text); err == nil && one.ID == id {
			all.Merge(one)
		}
	}
	if len(all.Local) > 0 {
		return all, nil
	}
	res, err = c.c.Command(ctx, at.Command{Text: "+CGPADDR=" + strconv.Itoa(id)})
	if err != nil {
		return all, err
	}
	for _, info := range res.Info {
		if one, err := ParseAddresses(info.Text); err == nil && one.ID == id {
			all.Merge(one)
		}
	}
	return all, nil
}

package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

// control is what the page can do to the modem, and what it shows of it. Its
// methods may be called by several goroutines at once.
type control struct {
	network *fakemodem.Network
	modem   *fakemodem.Modem
	phone   *fakemodem.Phone

	mu       sync.Mutex
	place    string // where programs reach the modem
	dBm      int
	coverage string
	clears   map[string][]func()
}

// Bounds of the signal slider, in dBm: 0 and 31 of +CSQ (3GPP TS 27.007 clause 8.5).
const (
	weakest   = -113
	strongest = -51
	usual     = -79
)

// maxFaults bounds the faults that are on the modem at one time.
const maxFaults = 64

// coverages are the buttons of the page.
var coverages = map[string]fakemodem.Coverage{
	"full": fakemodem.FullCoverage, "voice": fakemodem.VoiceCoverage,
	"data": fakemodem.DataCoverage, "none": fakemodem.NoCoverage,
}

// newControl makes the modem and the phone.
func newControl(network *fakemodem.Network, o options) *control {
	var choices []fakemodem.Option
	if o.pin != "" {
		choices = append(choices, fakemodem.WithPIN(o.pin))
	}
	kind, _ := fakemodem.FindPersonality(o.kind)
	c := &control{
		network: network, modem: network.NewModem(kind, choices...), phone: network.Phone(phoneNumber),
		coverage: "full", clears: make(map[string][]func()),
	}
	c.dBm = usual
	c.modem.SetSignal(usual)
	return c
}

// state is what the page shows of the modem.
type state struct {
	Kind     string       `json:"kind"`
	Model    string       `json:"model"`
	Number   string       `json:"number"`
	IMEI     string       `json:"imei"`
	Phone    string       `json:"phone"`
	Place    string       `json:"place"`
	Plugged  bool         `json:"plugged"`
	On       bool         `json:"on"`
	Circuit  bool         `json:"circuit"` // registered for calls and short messages
	Packet   bool         `json:"packet"`  // registered for packet data
	Signal   int          `json:"signal"`  // dBm
	RSSI     int          `json:"rssi"`    // as AT+CSQ tells it
	Coverage string       `json:"coverage"`
	SIM      simState     `json:"sim"`
	Faults   []faultState `json:"faults"`
}

type simState struct {
	In      bool   `json:"in"`
	State   string `json:"state"` // as +CPIN? tells it
	HasPIN  bool   `json:"hasPIN"`
	PINLeft int    `json:"pinLeft"`
	PUKLeft int    `json:"pukLeft"`
	ICCID   string `json:"iccid"`
}

func cardState(m *fakemodem.Modem) simState {
	s := m.SIM()
	return simState{In: s.Inserted, State: s.State, HasPIN: s.Locked, PINLeft: s.PINLeft, PUKLeft: s.PUKLeft, ICCID: s.ICCID}
}

type faultState struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (c *control) state() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := c.modem.Personality()
	s := state{
		Kind: kind.Name, Model: kind.Manufacturer + " " + kind.Model,
		Number: c.modem.Number(), IMEI: c.modem.IMEI(), Phone: c.phone.Number(),
		Place: c.place, Plugged: c.modem.Plugged(), On: c.modem.On(),
		Signal: c.dBm, RSSI: rssi(c.dBm), Coverage: c.coverage,
		SIM: cardState(c.modem), Faults: []faultState{},
	}
	s.Circuit, s.Packet = c.modem.Registered()
	for _, f := range c.modem.ActiveFaults() {
		info, _ := describe(f.ID)
		s.Faults = append(s.Faults, faultState{ID: f.ID, Name: info.Name})
	}
	if c.coverage == "none" || !s.On {
		s.RSSI = 99 // not known
	}
	return s
}

// faultSIM is the fault that takes the card away.
const faultSIM = "F60"

// rssi is a strength as +CSQ tells it (3GPP TS 27.007 clause 8.5).
func rssi(dBm int) int { return (dBm + 113) / 2 }

func (c *control) setPlace(place string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.place = place
}

func (c *control) setSignal(dBm int) error {
	if dBm < weakest || dBm > strongest {
		return fmt.Errorf("a signal of %d dBm is not between %d and %d", dBm, weakest, strongest)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dBm = dBm
	c.modem.SetSignal(dBm)
	return nil
}

func (c *control) setCoverage(name string) error {
	coverage, ok := coverages[name]
	if !ok {
		return fmt.Errorf("coverage %q is not full, voice, data or none", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coverage = name
	c.network.SetCoverage(coverage)
	return nil
}

func (c *control) setPower(on bool) {
	if on {
		c.modem.PowerOn()
	} else {
		c.modem.PowerOff()
	}
}

// setSIM puts the card in or takes it out. A fault that holds it ends.
func (c *control) setSIM(in bool) {
	c.clear(faultSIM)
	if in {
		c.modem.InsertSIM()
	} else {
		c.modem.RemoveSIM()
	}
}

// plug brings the port back that a fault took away.
func (c *control) plug() { c.modem.Plug() }

// send sends a text from the phone to the modem.
func (c *control) send(text string) error {
	if text == "" {
		return errors.New("the message is empty")
	}
	return c.phone.Send(c.modem.Number(), text)
}

func (c *control) inject(f fakemodem.Fault) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	active := c.modem.ActiveFaults()
	if len(active) >= maxFaults {
		return fmt.Errorf("there are %d faults on the modem: clear some", len(active))
	}
	c.forget(active)
	clear, err := c.modem.Inject(f)
	if err != nil {
		return err
	}
	c.clears[f.ID] = append(c.clears[f.ID], clear)
	return nil
}

// forget drops the handles of faults that have ended by themselves.
func (c *control) forget(active []fakemodem.Fault) {
	still := make(map[string]bool)
	for _, f := range active {
		still[f.ID] = true
	}
	for id := range c.clears {
		if !still[id] {
			delete(c.clears, id)
		}
	}
}

// clear ends the faults of an id; an empty one ends all.
func (c *control) clear(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == "" {
		c.modem.ClearFaults()
		clear(c.clears)
	}
	for _, fn := range c.clears[id] {
		fn()
	}
	delete(c.clears, id)
}

// message is a short message that the phone got.
type message struct {
	Time time.Time `json:"time"`
	From string    `json:"from"`
	Text string    `json:"text"`
}

func received(m fakemodem.PhoneMessage, now time.Time) message {
	text := m.Text
	switch {
	case m.Report:
		text = fmt.Sprintf("status report of message %d: %#02x", m.Reference, m.Status)
	case m.Data != nil:
		text = fmt.Sprintf("%d octets of data: % X", len(m.Data), m.Data)
	}
	return message{Time: now, From: m.From, Text: text}
}

package fakemodem

import "fmt"

// Technology is a radio access technology, with the numbers of the AcT field
// (3GPP TS 27.007 clause 7.3).
type Technology uint8

// Access technologies.
const (
	GSM   Technology = 0
	UMTS  Technology = 2
	EDGE  Technology = 3
	LTE   Technology = 7
	LTEM  Technology = 8 // reported as 7 by most firmware, 8 by release 13 and on
	NBIoT Technology = 9
)

// String names the technology as operators do.
func (t Technology) String() string {
	switch t {
	case GSM:
		return "GSM"
	case UMTS:
		return "UMTS"
	case EDGE:
		return "EDGE"
	case LTE:
		return "LTE"
	case LTEM:
		return "LTE-M"
	case NBIoT:
		return "NB-IoT"
	}
	return fmt.Sprintf("technology %d", uint8(t))
}

// Coverage is which services reach a place. Short messages go with voice, as
// they do on circuit-switched signalling.
type Coverage uint8

// Kinds of coverage.
const (
	NoCoverage    Coverage = 0
	VoiceCoverage Coverage = 1 // calls and short messages
	DataCoverage  Coverage = 2 // packet data
	FullCoverage  Coverage = 3
)

// Cell is a radio cell of an operator. A new network has one.
type Cell struct {
	n        *Network
	plmn     string
	operator string
	area     uint16
	id       uint32
	tech     Technology
	signal   int // dBm
	coverage Coverage
	refusal  int // reject cause; zero: none
	roaming  bool
}

// CellConfig describes a cell. The zero value is a GSM cell of the home
// network with a strong signal.
type CellConfig struct {
	// PLMN and Operator are the network's; empty means the home network's.
	PLMN, Operator string
	// Area is the location or tracking area code; zero means 0x1816.
	Area uint16
	// ID is the cell identity; zero takes a fresh one.
	ID uint32
	// Technology is the access technology; modems that cannot do it take it
	// for the best one they can.
	Technology Technology
	// Signal is the received strength in dBm; zero means -79.
	Signal int
}

func newCell(n *Network, plmn, operator string) *Cell {
	return &Cell{n: n, plmn: plmn, operator: operator, area: 0x1816, id: 0xD04E, tech: LTE, signal: -79, coverage: FullCoverage}
}

// Cell is the first cell, on which modems find themselves.
func (n *Network) Cell() *Cell {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cells[0]
}

// AddCell adds a cell; modems go there by Modem.MoveTo.
func (n *Network) AddCell(config CellConfig) *Cell {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := newCell(n, n.config.plmn(), n.config.operator())
	c.id += uint32(len(n.cells))
	c.tech = config.Technology
	if config.PLMN != "" {
		c.plmn, c.roaming = config.PLMN, config.PLMN != n.config.plmn()
	}
	if config.Operator != "" {
		c.operator = config.Operator
	}
	if config.Area != 0 {
		c.area = config.Area
	}
	if config.ID != 0 {
		c.id = config.ID
	}
	if config.Signal != 0 {
		c.signal = config.Signal
	}
	n.cells = append(n.cells, c)
	return c
}

// SetCoverage sets what every cell of the network covers: SetCoverage(VoiceCoverage)
// takes data away and leaves calls and short messages.
func (n *Network) SetCoverage(v Coverage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.cells {
		c.coverage = v
	}
	n.updateRadios(nil)
}

// SetCoverage sets what the cell covers.
func (c *Cell) SetCoverage(v Coverage) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.coverage = v
	c.n.updateRadios(c)
}

// SetSignal sets the strength, in dBm, with which the cell is received.
func (c *Cell) SetSignal(dBm int) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.signal = dBm
	c.n.updateRadios(c)
}

// Refuse makes the cell reject registrations with a cause (3GPP TS 24.008
// annex G: 2 IMSI unknown, 11 PLMN not allowed, 13 roaming not allowed, 17
// network failure, 22 congestion). Zero allows them again. Cause 11 also puts
// the network on the SIM's list of forbidden ones, where it stays until the
// host clears the file by AT+CRSM or chooses the network by hand.
func (c *Cell) Refuse(cause int) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.refusal = cause
	c.n.updateRadios(c)
}

// updateRadios lets the modems on a cell notice what has changed; nil is all cells.
func (n *Network) updateRadios(c *Cell) {
	for _, m := range n.modems {
		if c == nil || m.radio.cell == c {
			m.updateRadio()
		}
	}
}

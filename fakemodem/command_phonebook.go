package fakemodem

import (
	"fmt"
	"sort"
)

// phoneBookSize is the number of entries on the SIM.
const phoneBookSize = 250

// Phone book commands (3GPP TS 27.007 clauses 8.11 to 8.14).
func init() {
	add(table{
		"+CPBS": {run: phoneBookStorage, test: `("SM")`, sim: true},
		"+CPBR": {run: readPhoneBook, test: fmt.Sprintf("(1-%d),40,20", phoneBookSize), sim: true},
		"+CPBF": {run: findPhoneBook, test: "40,20", sim: true},
		"+CPBW": {run: writePhoneBook, test: fmt.Sprintf("(1-%d),40,(129,145),20", phoneBookSize), sim: true},
	})
}

func phoneBookStorage(c *Call) Result {
	if c.Op == Read {
		c.Info(fmt.Sprintf(`+CPBS: "SM",%d,%d`, len(c.m.sim.contacts), phoneBookSize))
		return OK
	}
	if c.text(0, "SM") != "SM" {
		return CME(cmeNotAllowed)
	}
	return OK
}

func (c *Call) showContact(i int, k contact) {
	kind := typeNational
	if k.number != "" && k.number[0] == '+' {
		kind = typeWorldwide
	}
	c.Info(fmt.Sprintf(`%s: %d,"%s",%d,"%s"`, c.Name, i, k.number, kind, c.m.inCharset(k.name)))
}

func (s *simCard) contactIndexes() []int {
	var list []int
	for i := range s.contacts {
		list = append(list, i)
	}
	sort.Ints(list)
	return list
}

func readPhoneBook(c *Call) Result {
	first := c.between(0, 1, phoneBookSize, 1)
	last := c.between(1, first, phoneBookSize, first)
	if c.bad || c.Op != Set {
		return CME(cmeInvalidIndex)
	}
	for _, i := range c.m.sim.contactIndexes() {
		if i >= first && i <= last {
			c.showContact(i, c.m.sim.contacts[i])
		}
	}
	return OK
}

func findPhoneBook(c *Call) Result {
	prefix := c.m.fromCharset(c.text(0, ""))
	for _, i := range c.m.sim.contactIndexes() {
		if k := c.m.sim.contacts[i]; len(k.name) >= len(prefix) && k.name[:len(prefix)] == prefix {
			c.showContact(i, k)
		}
	}
	return OK
}

func writePhoneBook(c *Call) Result {
	s := &c.m.sim
	i := c.between(0, 1, phoneBookSize, 0)
	if c.bad || c.Op != Set || !isDialable(c.text(1, "")) || len(c.text(3, "")) > 80 {
		return CME(cmeInvalidIndex)
	}
	if s.contacts == nil {
		s.contacts = make(map[int]contact)
	}
	if i == 0 {
		for i = 1; s.contacts[i] != (contact{}) && i < phoneBookSize; i++ {
		}
	}
	if c.count() == 1 {
		delete(s.contacts, i)
		return OK
	}
	number := c.text(1, "")
	if c.number(2, 0) == typeWorldwide && number != "" && number[0] != '+' {
		number = "+" + number
	}
	s.contacts[i] = contact{number: number, name: c.m.fromCharset(c.text(3, ""))}
	return OK
}

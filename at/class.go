package at

// Class sorts a refusal of the modem by what helps.
type Class uint8

// Classes of refusals.
const (
	// ClassPermanent: the same command will be refused again; fail it.
	ClassPermanent Class = iota
	// ClassTemporary: network or SIM are busy; try again after a pause.
	ClassTemporary
	// ClassStorage: the message storage is full or failing; make space.
	ClassStorage
	// ClassConfiguration: something is missing that has to be set or entered
	// first: a PIN, the service centre's address, an APN.
	ClassConfiguration
)

// String returns the class as a word.
func (c Class) String() string {
	switch c {
	case ClassTemporary:
		return "temporary"
	case ClassStorage:
		return "storage"
	case ClassConfiguration:
		return "configuration"
	}
	return "permanent"
}

// Name returns the text of the code in TS 27.007 clause 9.2, or what the modem
// sent in its place; empty for an unknown code.
func (e CMEError) Name() string {
	if name, ok := cmeNames[e.Code]; ok {
		return name
	}
	return e.Text
}

// Class tells what helps against the error.
func (e CMEError) Class() Class { return cmeClasses[e.Code] }

// Is makes errors.Is find an error by its code alone: two with the same code
// are the same, whatever text came with it. Unknown texts must be equal.
func (e CMEError) Is(target error) bool {
	t, ok := target.(CMEError)
	return ok && t.Code == e.Code && (e.Code >= 0 || t.Text == e.Text)
}

// Name returns the text of the code in TS 27.005 clause 3.2.5, or what the
// modem sent in its place; empty for an unknown code.
func (e CMSError) Name() string {
	if name, ok := cmsNames[e.Code]; ok {
		return name
	}
	return e.Text
}

// Class tells what helps against the error.
func (e CMSError) Class() Class { return cmsClasses[e.Code] }

// Is makes errors.Is find an error by its code alone, as CMEError.Is does.
func (e CMSError) Is(target error) bool {
	t, ok := target.(CMSError)
	return ok && t.Code == e.Code && (e.Code >= 0 || t.Text == e.Text)
}

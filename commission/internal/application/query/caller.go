// Package query (application) answers questions, a file each: it takes the caller, applies
// ownership, and reads through read ports only.
package query

import "tributary/platform/fault"

// Caller is the sender of a query.
type Caller struct {
	userID string
	all    bool
}

// Everything returns the caller who may see the data of every user: an operator, or anyone while
// authentication is off.
func Everything() Caller { return Caller{all: true} }

// OneUser returns the caller who may see only the data of the user.
func OneUser(userID string) Caller { return Caller{userID: userID} }

// Owner limits a read to what the caller may see. Every read port takes one, and only a Caller
// returns one, so no route can leave ownership out. The zero Owner sees nothing.
type Owner struct {
	userID string
	all    bool
}

// Owner returns the limit of a read by id: everything that the caller may see.
func (c Caller) Owner() Owner { return Owner(c) }

// OwnerOf returns the limit of a read of the user's data, or of everything that the caller may see
// for "". fault.ErrForeignUser is returned if the caller may not see the user's data.
func (c Caller) OwnerOf(userID string) (Owner, error) {
	switch {
	case userID == "" || userID == c.userID:
		return c.Owner(), nil
	case c.all:
		return Owner{userID: userID}, nil
	}

	return Owner{}, fault.ErrForeignUser.New("You may request only your own data.")
}

// SeesAll reports whether the caller may see the data of every user.
func (c Caller) SeesAll() bool { return c.all }

// UserID returns the user that the read is limited to; the bool reports whether it is limited.
func (o Owner) UserID() (string, bool) { return o.userID, !o.all }

// Sees reports whether the data of the user may be read.
func (o Owner) Sees(userID string) bool { return o.all || o.userID != "" && o.userID == userID }

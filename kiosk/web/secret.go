package web

import (
	"fmt"
	"slices"

	"longcheng/kiosk/signin"
)

// The roles.
const (
	RoleClerk      = "clerk"      // works at a window
	RoleSupervisor = "supervisor" // works at every window and reads the journal
	RoleTechnician = "technician" // looks after the devices
	RoleSystem     = "system"     // another program of the hall: appointments, tickets
)

// A User may sign in. Hash is what signin.Hash returned; Roles are RoleClerk,
// RoleSupervisor, RoleTechnician and RoleSystem.
type User struct {
	Name  string   `toml:"name"`
	Hash  string   `toml:"hash"`
	Roles []string `toml:"roles"`
}

func (u User) check() error {
	if u.Name == "" || len(u.Name) > 64 {
		return fmt.Errorf("user %q: name: write 1 to 64 bytes", u.Name)
	}
	if err := signin.CheckHash(u.Hash); err != nil {
		return fmt.Errorf("user %q: %w", u.Name, err)
	}
	for _, r := range u.Roles {
		if !slices.Contains([]string{RoleClerk, RoleSupervisor, RoleTechnician, RoleSystem}, r) {
			return fmt.Errorf("user %q: role %q: write clerk, supervisor, technician or system", u.Name, r)
		}
	}
	return nil
}

// String names the user without the hash.
func (u User) String() string { return u.Name }

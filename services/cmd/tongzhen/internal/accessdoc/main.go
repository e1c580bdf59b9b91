// Command accessdoc writes who may call what as a document: every method of every service with its roles, its services and what the object must
// be to the caller, from the services' own tables, so that it cannot differ from what the program does. `make generate` runs it, `make verify` compares.
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/patientrecord"
	"github.com/tongzhen/tongzhen/services/referral"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

func main() {
	// A pipe that breaks ends the command by a signal; what is missing then is what verify compares.
	out := bufio.NewWriter(os.Stdout)
	write(out)
	_ = out.Flush()
}

const head = `<!-- Generated from the services' tables by ` + "`make generate`" + `; not to be edited. -->

# Who may call what

A method that is not here is refused. ● the role may call it; a person with several roles may do what any of them may. Services call by name.
"Needs" is what the object must be to the caller, or to the caller's organisation, beyond the role:

| needs | the object is |
|---|---|
| — | nobody's in particular, or there is none yet |
| OWN | the caller's own, or of the caller's department or organisation; lists hold nothing else, and another's is not found |
| CARD | a patient whose exact identity number the caller types |
| PACKAGE, FULL | a patient to whom the organisation has a relation of this level; without one the patient is not found, with a lower one the answer is BREAK_GLASS_REQUIRED. What is sensitive is withheld until a purpose is stated |
| PARTY | a referral of which the organisation is a side, or was the receiver |
| ORIGINATOR, RECEIVER | a referral of which the organisation is this side |

`

func write(out io.Writer) {
	fmt.Fprint(out, head)
	roles := roles()
	fmt.Fprint(out, "| column | role |\n|---|---|\n")
	for _, r := range roles {
		fmt.Fprintf(out, "| %s | %s |\n", short(r), r)
	}
	for _, s := range []struct {
		name  string
		table authz.Table
	}{
		{"directory", directory.Policy()}, {"referral", referral.Policy()}, {"patient-record", patientrecord.Policy()},
		{"scheduling", scheduling.Policy()}, {"notification", notification.Policy()},
	} {
		fmt.Fprintf(out, "\n## %s\n", s.name)
		section(out, s.table, roles)
	}
}

// section is the methods of one service, by the contract's services.
func section(out io.Writer, table authz.Table, roles []string) {
	last := ""
	for _, path := range slices.Sorted(maps.Keys(table)) {
		contract, method, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if contract != last {
			last = contract
			fmt.Fprintf(out, "\n### %s\n\n| method | needs |", contract)
			for _, r := range roles {
				fmt.Fprintf(out, " %s |", short(r))
			}
			fmt.Fprintf(out, " services |\n|---|---|%s---|\n", strings.Repeat(":-:|", len(roles)))
		}
		rule := table[path]
		fmt.Fprintf(out, "| %s | %s |", method, or(string(rule.Need), "—"))
		for _, r := range roles {
			mark := ""
			if rule.Open || rule.AnyPerson || slices.Contains(rule.Roles, r) {
				mark = "●"
			}
			fmt.Fprintf(out, " %s |", mark)
		}
		services := strings.Join(slices.Sorted(slices.Values(rule.Services)), ", ")
		if rule.Open {
			services = "everybody, without a token"
		}
		fmt.Fprintf(out, " %s |\n", or(services, "—"))
	}
}

// roles in the order of the contract.
func roles() []string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(commonv1.Role_Code_name)) {
		if n != 0 {
			out = append(out, commonv1.Role_Code_name[n])
		}
	}
	return out
}

// short is three letters: of a role of two words two of the first and one of the second.
func short(role string) string {
	first, second, _ := strings.Cut(role, "_")
	return first[:min(len(first), 3-min(len(second), 1))] + second[:min(len(second), 1)]
}

func or(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

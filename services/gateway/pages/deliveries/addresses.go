package deliveries

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// address is where messages go, with the name of its department.
type address struct {
	*notificationv1.Address
	Department string
}

type addressData struct {
	Place shell.Workplace
	// Own are the visitor's, Groups those of the organisation.
	Own, Groups []address
	// Heads: the visitor sees the groups'. Houses are those that they may set: of the whole house ("") or of a department; the service decides.
	Heads     bool
	Houses    []shell.Named
	Form      shell.Form
	Problem   string
	RequestID string
	// Tested is what became of a test message.
	Tested *item
	// Group: the refused form was the groups'.
	Group bool
}

// May tells whether the visitor may set a group's, by its department.
func (d addressData) May(department string) bool {
	return slices.ContainsFunc(d.Houses, func(n shell.Named) bool { return n.ID == department })
}

// Persons and Rooms are the channels that a person and a group can have.
func (addressData) Persons() []string { return []string{"WECOM_APP", "SMS", "EMAIL"} }
func (addressData) Rooms() []string {
	return []string{"WECOM_ROBOT", "DINGTALK_ROBOT", "EMAIL", "WEBHOOK"}
}

// FormOf is the refused form, when it was the one asked for.
func (d addressData) FormOf(group bool) shell.Form {
	if d.Group == group {
		return d.Form
	}
	return shell.Form{}
}

func (p *Pages) showAddresses(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadAddresses(r)
	if err != nil {
		return err
	}
	return p.drawAddresses(w, r, http.StatusOK, data)
}

func (p *Pages) drawAddresses(w http.ResponseWriter, r *http.Request, status int, data addressData) error {
	return p.Shell.Render(w, r, p.addresses, shell.Page{Title: "addresses.title", Nav: "inbox", Status: status, Data: data})
}

func (p *Pages) loadAddresses(r *http.Request) (addressData, error) {
	data := addressData{RequestID: id.New(), Heads: has(r, commonv1.Role_COUNTY_ADMIN, commonv1.Role_INTAKE_DESK, commonv1.Role_CENTRE_HEAD, commonv1.Role_DEPARTMENT_HEAD)}
	own, err := p.Delivery.ListAddresses(r.Context(), &notificationv1.ListAddressesRequest{})
	if err != nil {
		return data, err
	}
	for _, a := range own.GetAddresses() {
		data.Own = append(data.Own, address{Address: a})
	}
	if !data.Heads {
		return data, nil
	}
	if data.Place, err = p.Shell.Workplace(r); err != nil {
		return data, err
	}
	data.Houses = p.houses(r, data.Place)
	groups, err := p.Delivery.ListAddresses(r.Context(), &notificationv1.ListAddressesRequest{OrganizationId: data.Place.ID})
	if errs.KindOf(err) == errs.KindDenied {
		data.Heads, err = false, nil
	}
	for _, a := range groups.GetAddresses() {
		data.Groups = append(data.Groups, address{a, data.Place.DepartmentName(a.GetDepartmentCode())})
	}
	return data, err
}

// houses are the groups whose addresses the visitor may set, as the service has it.
func (p *Pages) houses(r *http.Request, place shell.Workplace) []shell.Named {
	whole := shell.Named{Name: p.Shell.T(r, "schedules.whole-house")}
	visitor, _ := door.VisitorFrom(r.Context())
	if has(r, commonv1.Role_COUNTY_ADMIN, commonv1.Role_CENTRE_HEAD) {
		return append([]shell.Named{whole}, place.Departments...)
	}
	var out []shell.Named
	if has(r, commonv1.Role_INTAKE_DESK) {
		out = append(out, whole)
	}
	if own := visitor.Account.GetDepartmentCode(); own != "" && has(r, commonv1.Role_DEPARTMENT_HEAD) {
		out = append(out, shell.Named{ID: own, Name: place.DepartmentName(own)})
	}
	return out
}

// target is whose address a form is about: nobody's organisation means the visitor's own.
func (p *Pages) target(r *http.Request) (organization, department string, channel notificationv1.Channel_Code, err error) {
	if perr := r.ParseForm(); perr != nil {
		return "", "", 0, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	channel = notificationv1.Channel_Code(notificationv1.Channel_Code_value[r.PostFormValue("channel")])
	if r.PostFormValue("group") == "" {
		return "", "", channel, nil
	}
	place, err := p.Shell.Workplace(r)
	return place.ID, r.PostFormValue("departmentCode"), channel, err
}

func (p *Pages) setAddress(w http.ResponseWriter, r *http.Request) error {
	organization, department, channel, err := p.target(r)
	value := strings.TrimSpace(r.PostFormValue("address.value"))
	if err == nil && value == "" && r.PostFormValue("do") != "remove" {
		err = errs.Invalid(errs.Required("address.value"))
	}
	if err == nil {
		if r.PostFormValue("do") == "remove" {
			value = ""
		}
		_, err = p.Delivery.SetAddress(r.Context(), &notificationv1.SetAddressRequest{
			OrganizationId: organization, DepartmentCode: department, Channel: channel, Value: value, Secret: strings.TrimSpace(r.PostFormValue("address.secret")), RequestId: r.PostFormValue("requestId"),
		})
	}
	if err != nil {
		return p.addressAgain(w, r, err)
	}
	flash := "addresses.saved"
	if value == "" {
		flash = "addresses.removed"
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, p.back(r, organization), http.StatusSeeOther)
	return nil
}

// back is the page again, of the organisation that was picked.
func (p *Pages) back(r *http.Request, organization string) string {
	if organization != "" && has(r, commonv1.Role_COUNTY_ADMIN) {
		return "/addresses?" + url.Values{"organization": {organization}}.Encode()
	}
	return "/addresses"
}

func (p *Pages) addressAgain(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, shell.Under("address", cause), func(again shell.Refused) error {
		data, err := p.loadAddresses(r)
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		again.Form.Values.Del("address.secret") // is not sent back to a screen
		data.Form, data.Problem, data.RequestID, data.Group = again.Form, again.Problem, again.RequestID, r.PostFormValue("group") != ""
		return p.drawAddresses(w, r, again.Status, data)
	})
}

// test sends a test message and says what became of it.
func (p *Pages) test(w http.ResponseWriter, r *http.Request) error {
	organization, department, channel, err := p.target(r)
	var sent *notificationv1.Delivery
	if err == nil {
		sent, err = p.Delivery.SendTest(r.Context(), &notificationv1.SendTestRequest{OrganizationId: organization, DepartmentCode: department, Channel: channel, RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		return p.addressAgain(w, r, err)
	}
	data, err := p.loadAddresses(r)
	if err != nil {
		return err
	}
	one := p.item(r, sent)
	data.Tested = &one
	return p.drawAddresses(w, r, http.StatusOK, data)
}

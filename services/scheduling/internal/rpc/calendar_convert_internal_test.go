package rpc

import (
	"slices"
	"testing"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func fieldsOf(err error) (out []string) {
	if e, ok := errs.As(err); ok {
		for _, f := range e.Fields {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

func TestWhatCannotBeReadIsToldTogetherWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := templateOf(&schedulingv1.Template{Id: "t", OrganizationId: "o", Kind: "CLINIC", Pattern: schedulingv1.Pattern_WEEKLY, Ends: "12:00", FirstDay: "soon"})
	if got, want := fieldsOf(err), []string{"template.departmentCode", "template.firstDay", "template.slotMinutes", "template.starts", "template.weekdays"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	_, err = exceptionOf(&schedulingv1.ScheduleException{Id: "e", Effect: schedulingv1.ExceptionEffect_WORKDAY, FirstDay: "soon"})
	if got, want := fieldsOf(err), []string{"exception.firstDay", "exception.weekday"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

package rpc_test

import (
	"maps"
	"slices"
	"testing"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// What the contract does not name, no page has words for.
func TestEveryReasonOfADeliveryIsOfTheContract(t *testing.T) {
	t.Parallel()
	named := slices.Sorted(maps.Keys(notificationv1.DeliveryReason_Code_value))
	have := append(domain.Reasons(), "UNSPECIFIED")
	slices.Sort(have)
	if !slices.Equal(named, have) {
		t.Errorf("the contract names %v, the domain %v", named, have)
	}
}

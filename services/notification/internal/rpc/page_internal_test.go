package rpc

import "testing"

// Who asks for no size reads no token either: such a list holds as many as it ever did.
func TestAWholePageIsAsLargeAsItsListMayBe(t *testing.T) {
	t.Parallel()
	for asked, want := range map[int32]int{0: 500, 2: 2, 500: 500, 900: 500} {
		if got := wholePage(asked, toldPage); got != want {
			t.Errorf("asked for %d: %d, want %d", asked, got, want)
		}
	}
}

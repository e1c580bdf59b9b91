package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

func published(t *testing.T) *figures.Book {
	t.Helper()
	book, err := figures.Load()
	if err != nil {
		t.Fatal(err)
	}
	return book
}

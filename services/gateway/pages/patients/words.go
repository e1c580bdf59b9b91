package patients

import (
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

func sexOf(word string) commonv1.Sex_Code {
	return commonv1.Sex_Code(commonv1.Sex_Code_value[word])
}

// masked keeps of a document's number the first three and last four characters, as lists do.
func masked(number string) string {
	if len(number) <= 8 {
		return number
	}
	return number[:3] + strings.Repeat("*", len(number)-7) + number[len(number)-4:]
}

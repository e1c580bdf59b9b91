package patients

import commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"

func sexOf(word string) commonv1.Sex_Code {
	return commonv1.Sex_Code(commonv1.Sex_Code_value[word])
}

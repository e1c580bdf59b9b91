package village

import "testing"

func TestAVillageIsCalledWhatItsClinicIsCalled(t *testing.T) {
	t.Parallel()
	for clinic, want := range map[string]string{
		"白沙镇竹桥村卫生室": "竹桥", "竹桥村卫生室": "竹桥", "镇南村卫生室": "镇南", "兴坪镇大河背村卫生所": "大河背", "城关街道东街诊所": "东街", "": "",
	} {
		if got := nameOf(clinic); got != want {
			t.Errorf("%s is of %q, not of %q", clinic, got, want)
		}
	}
}

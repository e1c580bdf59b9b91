package domain_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func TestAVillageIsFoundByTheNameOfItsClinic(t *testing.T) {
	t.Parallel()
	clinics := []domain.Clinic{
		{"zhuqiao", "白沙镇竹桥村卫生室"}, {"qiaotou", "桥头村卫生室"}, {"xiaoqiaotou", "小桥头村卫生室"}, {"zhennan", "镇南村卫生室"}, {"li", "白沙镇李村卫生室"},
		{"one", "古板村卫生室"}, {"two", "白沙镇古板村卫生所"},
	}
	for village, want := range map[string]string{
		"竹桥村": "zhuqiao", "竹桥": "zhuqiao", "竹桥村委会": "zhuqiao", "白沙镇竹桥村委会古板屯": "zhuqiao", "竹 桥村": "zhuqiao",
		"竹桥村村委会": "zhuqiao", "白沙镇竹桥村村民委员会古板屯": "zhuqiao", "李村村委会": "li",
		"桥头村": "qiaotou", "小桥头村": "xiaoqiaotou", "镇南村": "zhennan", "李村": "li",
		"古板村": "", "旧县村": "", "": "", "村": "", "白沙镇": "",
	} {
		if got := domain.ClinicOf(village, clinics); got != want {
			t.Errorf("%q is %q, want %q", village, got, want)
		}
	}
}

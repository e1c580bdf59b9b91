package places

import (
	"strings"
	"testing"
)

// The catalogue is what forms offer and what codes of other systems are read by: each code stands once, below its group, with a name of its own to show.
func TestTheCatalogueHasEachCodeOnceBelowItsGroupWithANameOfItsOwn(t *testing.T) {
	codes, names := map[string]bool{}, map[string]string{}
	for _, s := range subjects() {
		if n := len(s.Code); n != 2 && n != 4 && n != 6 || strings.Trim(s.Code, "0123456789") != "" || codes[s.Code] {
			t.Errorf("code %s", s.Code)
		}
		if codes[s.Code] = true; len(s.Code) > 2 && !codes[s.Code[:len(s.Code)-2]] {
			t.Errorf("%s has no group", s.Code)
		}
		if other := names[s.Name]; other != "" {
			t.Errorf("%s and %s are both shown as %s", other, s.Code, s.Name)
		}
		names[s.Name] = s.Code
	}
	for code, want := range map[string]string{
		"0304": "心血管内科专业", "0305": "血液内科专业", "0308": "免疫学专业", "1201": "牙体牙髓病专业", "20": "急诊医学科", "27": "疼痛科", "28": "重症医学科", "3003": "临床化学检验专业", "52": "中西医结合科",
	} {
		if got := officialName(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

func TestADepartmentIsFoundByWhatDoctorsCallIt(t *testing.T) {
	for typed, want := range map[string]string{
		"风湿": "0308 风湿免疫科", "心内科": "0304 心血管内科", "肾病学专业": "0306 肾内科", "内科": "03 内科", "骨科": "0403 骨科", "呼吸科": "0301 呼吸内科", "ICU": "28 重症医学科",
		"针灸": "5013 针灸科", "牙科": "12 口腔科", "11.01": "1101 耳科",
	} {
		if code, name := picked(typed); code+" "+name != want {
			t.Errorf("%q is %s %s, want %s", typed, code, name, want)
		}
	}
	if code, _ := picked("呼吸"); code != "呼吸" {
		t.Errorf("it stands for several and is read as %s", code)
	}
}

package domain_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func TestAnAddressIsShownToBeRecognisedNotToBeUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ channel, value, want string }{
		{domain.SMS, "13812345678", "138****5678"},
		{domain.SMS, "123", "***"},
		{domain.Email, "desk@hospital.example", "d***@hospital.example"},
		{domain.Email, "no mailbox", "***"},
		{domain.WeComApp, "李四", "李***"},
		{domain.Webhook, "https://hospital.example/hooks/secret", "https://hospital.example/…"},
		{domain.WeComRobot, "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa", "…5aaa"},
		{domain.DingTalkRobot, "short", "***"},
	} {
		if got := domain.Masked(c.channel, c.value); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.channel, c.value, got, c.want)
		}
	}
}

func TestAReferralsNumberIsPrintedInParts(t *testing.T) {
	t.Parallel()
	if got := domain.PrintedNumber("4503212600001234"); got != "450321-26-0000123-4" {
		t.Error(got)
	}
	if got := domain.PrintedNumber("x"); got != "x" {
		t.Error(got)
	}
}

func TestADirectorysTelephoneTakesSMSIfItIsAMobile(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]string{
		"13800138000": "13800138000", "+86 138-0013-8000": "13800138000", "0773-8821234": "", "": "", "1380013800": "", "1380013800a": "", "23800138000": "",
	} {
		if got := (domain.Account{Phone: phone}).Addresses(); got[domain.SMS] != want || got[domain.Email] != "" {
			t.Errorf("%q reaches %v", phone, got)
		}
	}
	if got := (domain.Account{Email: "a@b.example"}).Addresses(); len(got) != 1 || got[domain.Email] != "a@b.example" {
		t.Errorf("%v", got)
	}
}

// Package domain holds the rules of the patient index and the clinical record: what an identity number says, what a registration
// must carry, who may see how much of a patient and until when, and what is shown when it is less than everything.
//
// It owns no storage and no clock. Types that carry patient data print as their id, or as what they are, in every verb.
package domain

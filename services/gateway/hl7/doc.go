// Package hl7 takes HL7 v2 messages of hospitals' own systems over MLLP and hands what they say to patient-record.
//
// It owns framing, parsing, character sets, who may send, the reading of segments into the contract, and acknowledgements. It refuses to keep
// anything: patient-record stores a message or keeps it in quarantine, and only then is it acknowledged.
//
// Acknowledgements (MSA-1):
//   - AA: stored. The same control id with the same content again is AA again.
//   - AE: kept in quarantine; a person looks at it. Do not resend.
//   - AR: the sender (name and address) or the type of message is refused, or there was nothing in the frame; nothing was kept.
//   - none, and the connection is closed: patient-record could not be asked. Send it again.
//
// Invariants:
//  1. An [Error] and an acknowledgement name a place and a reason; neither quotes what stands there.
//  2. What is read at once is bounded: MaxSize bytes, maxSegments segments, Limits of connections and time.
//  3. The same message by the same sender's settings reads the same. Segments that are not known (Z…) are passed over.
//  4. No acknowledgement before the commit.
package hl7

package figures

// NewSchema builds what Schema answers and tells what is wrong with it.
var NewSchema = newSchema

create pipes/z

# Writes tables of Debian's R packages as CSV: Rscript export-tables.R DIRECTORY NAME...
# A name is package/table/target/name of the file. Missing values are empty cells; text is quoted.
args <- commandArgs(trailingOnly = TRUE)
for (what in args[-1]) {
  part <- strsplit(what, "/")[[1]]
  scratch <- new.env()
  data(list = part[2], package = part[1], envir = scratch)
  table <- get(part[2], envir = scratch)
  table <- table[!is.na(table[[part[3]]]), ]
  write.csv(table, file.path(args[1], paste0(part[4], ".csv")), row.names = FALSE, na = "", fileEncoding = "UTF-8")
}

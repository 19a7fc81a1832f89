import MetaLearners
import MetaLearnersCore

/// What a file is that is no text, told by its first bytes: for errors that say what to do with it.
enum FileSignature {
    /// How many bytes are enough to tell.
    static let length = 16

    private static let kinds: [(start: [UInt8], name: String, remedy: String)] = [
        (Array("PAR1".utf8), "a Parquet file", Self.export),
        (Array("ARROW1".utf8), "an Arrow or Feather file", Self.export),
        (
            [0x50, 0x4B, 0x03, 0x04], "a ZIP archive or an Excel workbook",
            "save the table as CSV, or unpack it"
        ),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook", "save the table as CSV"),
        (Array("BZh".utf8), "compressed by bzip2", "decompress it (bzip2 -d), or use gzip"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "compressed by xz", "decompress it (xz -d), or use gzip"),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd", "decompress it (zstd -d), or use gzip"),
        ([0x89] + Array("HDF".utf8), "an HDF5 file", Self.export),
        (Array("<stata_dta>".utf8), "a Stata file", Self.export),
        (Array("$FL2".utf8), "an SPSS file", Self.export),
        (
            Array("RDX".utf8), "a file of R",
            "write the table as CSV: write.csv(table, file, row.names = FALSE)"
        ),
        (Array("SQLite format".utf8), "an SQLite database", Self.export),
        (Array("%PDF".utf8), "a PDF document", "copy its table into a CSV file"),
        (Array("<!DOCTYPE".utf8), "a web page", "download the file itself"),
        (Array("<html".utf8), "a web page", "download the file itself"),
    ]

    private static let export = "write the table as CSV, for example to_csv(file, index=False) in pandas"

    /// Checks that a data file that begins with `bytes` may be text.
    ///
    /// - Throws: `invalidData`, saying what the file is instead.
    static func requireText(_ bytes: some Collection<UInt8>, at name: String) throws(MetaLearnersError) {
        if bytes.starts(with: CATEModel.magic) {
            throw MetaLearnersError(
                .invalidData, at: name, "is a model file, not a table", remedy: "name a CSV file here")
        }
        for kind in kinds where bytes.starts(with: kind.start) {
            throw MetaLearnersError(.invalidData, at: name, "is \(kind.name), not CSV", remedy: kind.remedy)
        }
    }
}

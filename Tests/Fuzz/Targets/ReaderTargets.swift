import FormulaExport
import MetaLearners
import MetaLearnersCore
import metalearners_cli

/// Reads a spec in one of the command line's formats. What can be read can be written as JSON, and says the same there.
func readSpec(_ bytes: UnsafeBufferPointer<UInt8>, format: String) {
    guard let value = try? SpecLoader.parse(Array(bytes), format: format, source: "spec") else { return }
    let text = value.json()
    do throws(MetaLearnersError) {
        let again = try SpecValue(json: text.utf8, source: "spec")
        precondition(again.json() == text, "other JSON: \(text)")
    } catch {
        preconditionFailure("\(error): \(text)")
    }
    _ = try? MetaLearnerSpec(value)
}

/// Reads a data file; the first byte chooses what is known of it beforehand. What is a table is made a dataset.
func readTable(_ bytes: UnsafeBufferPointer<UInt8>) {
    let choice = bytes.first ?? 0
    var spec = DataSpec()
    spec.treatment = "w"
    spec.outcome = "y"
    if choice & 1 != 0 { spec.cluster = "c" }
    if choice & 2 != 0 { spec.missingValues = ["-9", "refused"] }
    if choice & 4 != 0 { spec.outcomeType = .classes }
    if choice & 8 != 0 { spec.categorical = ["x"] }
    var options = CSVDialectOptions()
    if choice & 16 != 0 { options.separator = UInt8(ascii: ";") }
    if choice & 32 != 0 { options.decimal = UInt8(ascii: ",") }
    var reader = CSVReader(choice & 64 != 0 ? ColumnRules() : ColumnRules(spec), options)
    reader.allowsNoRows = choice & 128 != 0
    guard let table = try? reader.read(ByteSource(Array(bytes.dropFirst()), name: "table.csv")) else {
        return
    }
    for column in table.columns { precondition(column.count == table.rowCount) }
    _ = try? CausalDataset(table, spec)
}

/// Reads formulas, and writes them in every other language. What can be read can be written as JSON, and says the same there.
func exportFormulas(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let value = try? SpecValue(json: Array(bytes), source: "formulas"),
        let document = try? FormulaDocument(value)
    else { return }
    let text = document.specValue.json()
    do throws(MetaLearnersError) {
        let again = try FormulaDocument(SpecValue(json: text.utf8, source: "formulas"))
        precondition(again.specValue.json() == text, "other formulas: \(text)")
    } catch {
        preconditionFailure("\(error): \(text)")
    }
    _ = try? CSourceExport(document)
    for categories in ONNXExport.Categories.allCases { _ = try? ONNXExport(document, categories: categories) }
    for dialect in SQLDialect.allCases {
        _ = try? SQLExport(document, dialect: dialect)
        _ = try? SQLExport(document, dialect: dialect, table: "t")
    }
}

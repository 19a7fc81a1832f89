import MetaLearnersCore
import Testing

@Suite("Covariate schemas")
struct CovariateSchemaTests {
    private func training() throws(MetaLearnersError) -> Table {
        try Table([
            Column("age", [1, 2]), Column("city", categories: ["Bonn", "Kiel"]),
            Column("code", [3, 4]).asCategorical(),
        ])
    }

    @Test("Columns come in the order of training; others are ignored; codes follow the trained levels")
    func align() throws {
        let schema = try CovariateSchema(training())
        let table = try Table([
            Column("extra", [9, 9]), Column("code", [4, 3]), Column("city", categories: ["Kiel", nil]),
            Column("age", [5, .nan]),
        ])
        let (aligned, warnings) = try schema.align(table)
        #expect(aligned.columns.map(\.name) == ["age", "city", "code"])
        #expect(aligned.columns[1].codes() == [1, -1])
        #expect(aligned.columns[1].levels == ["Bonn", "Kiel"])
        #expect(aligned.columns[2].codes() == [1, 0])
        #expect(warnings.isEmpty)
    }

    @Test("Unseen levels are counted and become missing, or are refused")
    func unseenLevels() throws {
        let table = try Table([
            Column("age", [1, 2, 3]), Column("city", categories: ["Ulm", "Bonn", "Ulm"]),
            Column("code", [3, 3, 3]),
        ])
        let (aligned, warnings) = try CovariateSchema(training()).align(table)
        #expect(aligned.columns[1].codes() == [-1, 0, -1])
        #expect(
            warnings == [
                "column 'city': 2 of 3 rows have a level not seen in training, such as 'Ulm'; they count as missing"
            ])
        let error = #expect(throws: MetaLearnersError.self) {
            try CovariateSchema(training(), unseenLevels: .error).align(table)
        }
        #expect(error?.location == "column 'city'")
        #expect(error?.remedy?.contains("data.unseen_levels: missing") == true)
    }

    @Test("A missing column is named with the nearest one; text for numbers is refused")
    func errors() throws {
        let schema = try CovariateSchema(training())
        let missing = #expect(throws: MetaLearnersError.self) {
            try schema.align(
                Table([Column("agge", [1]), Column("city", categories: ["Bonn"]), Column("code", [3])]))
        }
        #expect(
            missing?.description
                == "column 'age': is missing; the model was trained on it; did you mean 'agge'?")
        let text = #expect(throws: MetaLearnersError.self) {
            try schema.align(
                Table([
                    Column("age", categories: ["old"]), Column("city", categories: ["Bonn"]),
                    Column("code", [3]),
                ]))
        }
        #expect(text?.problem == "is text: row index 0 has 'old'; the model was trained on numbers")
    }

    @Test("A schema survives the archive; bytes cut short are refused")
    func coding() throws {
        let schema = try CovariateSchema(training(), unseenLevels: .error)
        var writer = BinaryWriter()
        schema.encode(to: &writer)
        var reader = BinaryReader(writer.bytes[...])
        #expect(try CovariateSchema(from: &reader) == schema)
        for length in 0..<writer.bytes.count {
            var short = BinaryReader(writer.bytes[..<length])
            let error = #expect(throws: MetaLearnersError.self) { _ = try CovariateSchema(from: &short) }
            #expect(error?.kind == .corruptModel)
        }
    }
}

import CausalAnalysis
import MetaLearnersCore

/// What is behind `mtlr_study`.
final class StudyObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_7374_7564  // "mtlrstud"
    static let typeName = "mtlr_study"

    let study: CausalStudy

    init(_ study: CausalStudy) { self.study = study }
}

/// What is behind `mtlr_analysis`.
final class AnalysisObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_616e_616c  // "mtlranal"
    static let typeName = "mtlr_analysis"

    let json: CText
    let columns: [RowColumn]
    let columnNames: [CText]

    init(_ result: AnalysisResult) throws(MetaLearnersError) {
        json = try CText(result.specValue.json())
        columns = result.rowColumns
        columnNames = try CText.list(result.rowColumns.map(\.name))
    }
}

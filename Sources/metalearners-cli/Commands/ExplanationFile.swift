import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import Reporting

/// Takes explanations part by part: writes the values of every row to a file, where there is one, and sums up what the table
/// shows.
///
/// Parts come one at a time, in order: hence `@unchecked`.
final class ExplanationFile: @unchecked Sendable {
    private var summary: ExplanationSummary
    private let file: OutputFile?
    private var isBegun = false
    /// Which rows of the data were drawn; nil for all.
    private let rows: [Int32]?
    private var written = 0

    init(_ explainer: EffectExplainer, rows: [Int32]?, _ file: OutputFile?) {
        summary = ExplanationSummary(explainer)
        self.rows = rows
        self.file = file
    }

    /// Writes the rows of a part.
    ///
    /// - Throws: `inputOutput`.
    func append(_ part: Explanation) throws(MetaLearnersError) {
        summary.add(part)
        guard let file else { return }
        let features = part.featureNames
        let hasErrors = !part.standardErrors.isEmpty
        if !isBegun {
            isBegun = true
            var names = rows == nil ? [] : ["row"]
            for output in part.outputNames {
                names += [output, output + "_base"] + features.map { "\(output)_shap_\($0)" }
                if hasErrors || part.method == .permutation {
                    names += features.map { "\(output)_error_\($0)" }
                }
            }
            try file.append((names.map(ResultCSV.quoted).joined(separator: ",") + "\n").utf8)
        }
        for row in 0..<part.rowCount {
            var isFirst = true
            func write(_ number: Double) throws(MetaLearnersError) {
                if !isFirst { try file.append(CollectionOfOne(UInt8(ascii: ","))) }
                isFirst = false
                try file.append(NumberText.shortest(number).utf8)
            }
            if let rows { try write(Double(rows[written]) + 1) }
            written += 1
            for output in part.outputNames.indices {
                try write(part.effects[output][row])
                try write(part.baseValues[output])
                let first = (row * part.outputNames.count + output) * features.count
                for feature in features.indices { try write(part.values[first + feature]) }
                guard hasErrors else { continue }
                for feature in features.indices { try write(part.standardErrors[first + feature]) }
            }
            try file.append(CollectionOfOne(UInt8(ascii: "\n")))
        }
    }

    /// Puts the file where it belongs, and sums up.
    ///
    /// - Throws: `inputOutput`.
    func finish() throws(MetaLearnersError) -> ExplanationSummary {
        try file?.commit()
        return summary
    }
}

/// What the explanations of many rows say together.
struct ExplanationSummary {
    private let outputNames: [String]
    private let featureNames: [String]
    private let method: ShapleyMethod
    private let note: String
    private let baseValues: [Double]
    private let backgroundRowCount: Int
    private(set) var rowCount = 0
    private(set) var warnings: [String] = []
    /// For each effect and covariate, the sum of absolute values, and of the squares of standard errors.
    private var sums: [[Double]]
    private var squaredErrors: [[Double]]
    private var isExact = true

    /// Rows of the table at most.
    private static let tableRows = 40

    init(_ explainer: EffectExplainer) {
        outputNames = explainer.outputNames
        featureNames = explainer.featureNames
        method = explainer.method
        note = explainer.note
        baseValues = explainer.baseValues
        backgroundRowCount = explainer.backgroundRowCount
        sums = explainer.outputNames.map { _ in explainer.featureNames.map { _ in 0 } }
        squaredErrors = sums
    }

    mutating func add(_ part: Explanation) {
        rowCount += part.rowCount
        if warnings.isEmpty { warnings = part.warnings }
        isExact = isExact && part.standardErrors.isEmpty
        for row in 0..<part.rowCount {
            for output in outputNames.indices {
                let first = (row * outputNames.count + output) * featureNames.count
                for feature in featureNames.indices {
                    sums[output][feature] += abs(part.values[first + feature])
                    guard !part.standardErrors.isEmpty else { continue }
                    let error = part.standardErrors[first + feature]
                    squaredErrors[output][feature] += error * error
                }
            }
        }
    }

    private func means(_ output: Int) -> [Double] { sums[output].map { $0 / Double(max(rowCount, 1)) } }

    /// The typical standard error of a value: the root of the mean square.
    private func errors(_ output: Int) -> [Double] {
        squaredErrors[output].map { ($0 / Double(max(rowCount, 1))).squareRoot() }
    }

    /// The covariates from the one that effects depend on most to the one that they depend on least.
    private var order: [Int] {
        let totals = featureNames.indices.map { feature in
            outputNames.indices.reduce(0) { sum, output in
                let total = sums[output].reduce(0, +)
                return sum + (total > 0 ? sums[output][feature] / total : 0)
            }
        }
        return featureNames.indices.sorted { (totals[$1], $0) < (totals[$0], $1) }
    }

    /// The table, under a line on how values were found.
    var text: String {
        var columns: [(title: String, alignment: TextTable.Alignment)] = [("covariate", .left)]
        for name in outputNames {
            columns.append((outputNames.count == 1 ? "mean |SHAP|" : "mean |SHAP|, \(name)", .right))
            columns.append(("share", .right))
            if !isExact { columns.append(("std. error of a value", .right)) }
        }
        var table = TextTable(columns)
        let ofOutputs = outputNames.indices.map { output in
            let means = means(output)
            let total = means.reduce(0, +)
            return (
                means: NumberText.aligned(means),
                shares: means.map { NumberText.fixed(total > 0 ? 100 * $0 / total : 0, decimals: 1) + " %" },
                errors: NumberText.aligned(errors(output))
            )
        }
        for feature in order.prefix(Self.tableRows) {
            var cells = [featureNames[feature]]
            for texts in ofOutputs {
                cells += [texts.means[feature], texts.shares[feature]]
                if !isExact { cells.append(texts.errors[feature]) }
            }
            table.append(cells)
        }
        var text = "Effects of \(NumberText.counted(rowCount, "row")); \(note).\n"
        for (name, base) in zip(outputNames, baseValues) {
            text += "Base value of \(name): \(NumberText.aligned([base])[0])\n"
        }
        text += "\n" + table.text()
        if order.count > Self.tableRows {
            text += "… and \(order.count - Self.tableRows) more: see --json\n"
        }
        return text
    }

    /// The same for programs.
    var specValue: SpecValue {
        let effects: [SpecValue] = outputNames.indices.map { output in
            let (means, errors) = (means(output), errors(output))
            let rows: [SpecValue] = order.map { feature in
                var object = SpecObject([
                    ("covariate", .string(featureNames[feature])),
                    ("mean_absolute_value", .number(means[feature])),
                ])
                if !isExact { object["standard_error"] = .number(errors[feature]) }
                return .object(object)
            }
            return [
                "effect": .string(outputNames[output]), "base_value": .number(baseValues[output]),
                "covariates": .array(rows),
            ]
        }
        return [
            "rows": .integer(rowCount), "method": .string(method.rawValue), "exact": .boolean(isExact),
            "note": .string(note), "background_rows": .integer(backgroundRowCount),
            "effects": .array(effects), "warnings": .array(warnings.map { .string($0) }),
        ]
    }
}

import MetaLearnersCore

/// How a penalty was chosen: what a fitted model reports of it.
struct PenaltyChoice: Sendable, Equatable {
    /// What was compared.
    let criterion: String
    /// The penalties compared, descending.
    let penalties: [Double]
    /// The criterion of each; empty where nothing could be compared.
    let errors: [Double]
    /// The place of the one that was taken.
    let chosen: Int

    /// The penalty that was taken; nil where there was none to take.
    var penalty: Double? { penalties.indices.contains(chosen) ? penalties[chosen] : nil }

    /// The report: penalty, criterion, its value there and at its least, and whether the least lies at an end.
    ///
    /// - Parameter name: what the spec calls the penalty.
    func summary(_ name: String) -> SpecObject {
        var summary = SpecObject([(name, penalty.map { .number($0) } ?? .null)])
        guard errors.count == penalties.count, let least = errors.indices.min(by: { errors[$0] < errors[$1] })
        else { return summary }
        summary["criterion"] = .string(criterion)
        // JSON has no infinities.
        summary["criterion_value"] = errors[chosen].isFinite ? .number(errors[chosen]) : .null
        summary["least_criterion"] = errors[least].isFinite ? .number(errors[least]) : .null
        summary["\(name)_of_least"] = .number(penalties[least])
        summary["penalties_compared"] = .integer(penalties.count)
        summary["least_at_end"] = .boolean(least == 0 || least == errors.count - 1)
        // In the order in which JSON is read back.
        return SpecObject(summary.entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}

extension SpecObject {
    /// Reads the summary of a fitted model, which is stored as JSON.
    ///
    /// - Throws: `corruptModel`.
    init(summaryFrom reader: inout BinaryReader) throws(MetaLearnersError) {
        let text = try reader.readString()
        guard let value = try? SpecValue(json: text.utf8, source: "model"), let object = value.objectValue
        else {
            throw BinaryReader.corrupt("the summary of a model makes no sense")
        }
        self = object
    }
}

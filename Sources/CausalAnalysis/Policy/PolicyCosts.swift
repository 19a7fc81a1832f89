import MetaLearnersCore

/// What treatment costs: one number or column for every arm, or one for each.
public struct PolicyCosts: Sendable, Equatable {
    /// Where a cost comes from.
    public enum Source: Sendable, Equatable {
        /// The same for each row.
        case number(Double)
        /// A column of the data.
        case column(String)
    }

    /// The costs, each with the arm that it is of; nil where it is that of every arm.
    public var entries: [(arm: String?, source: Source)] = []

    /// No costs: every treated row counts as 1.
    public init() {}

    public static func == (left: PolicyCosts, right: PolicyCosts) -> Bool {
        left.entries.count == right.entries.count
            && zip(left.entries, right.entries).allSatisfy { $0.arm == $1.arm && $0.source == $1.source }
    }

    /// Reads a number, the name of a column, or a mapping of these by arm.
    ///
    /// - Throws: `invalidSpec` for anything else and for numbers that are not above 0.
    public init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        func source(_ value: SpecValue, _ place: SpecPath) throws(MetaLearnersError) -> Source {
            if let name = value.stringValue, !name.isEmpty { return .column(name) }
            guard let number = value.doubleValue else {
                throw place.error("must be a number or the name of a column, not \(value.kindName)")
            }
            guard number > 0, number.isFinite else {
                throw place.error(
                    "is \(value.json()), must be: number > 0", remedy: "leave out arms that cost nothing")
            }
            return .number(number)
        }
        if let object = value.objectValue {
            for (arm, value) in object.entries {
                entries.append((arm, try source(value, place.appending(arm))))
            }
        } else if value != .null {
            entries = [(nil, try source(value, place))]
        }
    }

    /// The costs as requests have them.
    public var specValue: SpecValue {
        func value(_ source: Source) -> SpecValue {
            switch source {
            case .number(let number): .number(number)
            case .column(let name): .string(name)
            }
        }
        guard let first = entries.first else { return .null }
        if first.arm == nil { return value(first.source) }
        return .object(SpecObject(entries.map { ($0.arm ?? "", value($0.source)) }))
    }

    /// The columns that are named.
    public var columns: [String] {
        entries.compactMap { if case .column(let name) = $0.source { name } else { nil } }
    }

    /// Whether each arm costs the same in every row.
    public var areConstant: Bool { columns.isEmpty }

    /// The cost of each arm but the control for each row; nil where there are none.
    ///
    /// - Parameters:
    ///   - table: the columns.
    ///   - armLabels: the arms, the control first.
    /// - Throws: `invalidArgument` for an arm without a cost or one that there is not; `invalidData` for a column that is missing, text, or not
    ///   above 0 somewhere.
    public func resolved(in table: Table, armLabels: [String]) throws(MetaLearnersError) -> [[Double]]? {
        guard let first = entries.first else { return nil }
        let treated = Array(armLabels.dropFirst())
        if first.arm == nil {
            let costs = try values(first.source, in: table)
            return treated.map { _ in costs }
        }
        for entry in entries where !treated.contains(entry.arm ?? "") {
            throw MetaLearnersError(
                .invalidArgument, at: "cost", "there is no treated arm '\(entry.arm ?? "")'",
                remedy: SpellingSuggestion.clause(for: entry.arm ?? "", in: treated))
        }
        var costs: [[Double]] = []
        for arm in treated {
            guard let entry = entries.first(where: { $0.arm == arm }) else {
                throw MetaLearnersError(
                    .invalidArgument, at: "cost", "arm '\(arm)' has none",
                    remedy: "give a cost for each treated arm")
            }
            costs.append(try values(entry.source, in: table))
        }
        return costs
    }

    private func values(_ source: Source, in table: Table) throws(MetaLearnersError) -> [Double] {
        switch source {
        case .number(let number): return [Double](repeating: number, count: table.rowCount)
        case .column(let name):
            let column = try table.requiredColumn(name, for: "cost")
            guard column.levels == nil else {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(name)'", "is text, and costs are numbers")
            }
            let values = column.values.doubles()
            if let row = values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(name)'",
                    "\(table.places.name(row)) has \(values[row].isNaN ? "no cost" : "the cost " + SpecValue.number(values[row]).json()), and costs must be above 0",
                    remedy: "correct it, or leave the row out")
            }
            return values
        }
    }
}

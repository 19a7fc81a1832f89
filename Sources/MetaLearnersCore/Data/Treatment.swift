/// Who got what: the arm of each row, 0 being the control.
public struct Treatment: Sendable, Equatable {
    /// The arm of each row, an index into `labels`.
    public let arms: RowCodes
    /// What the arms are called; the first one is the control.
    public let labels: [String]

    /// Creates a treatment.
    ///
    /// - Throws: `invalidData` for fewer than two arms, an arm without rows, or an index outside the labels.
    public init(arms: RowCodes, labels: [String]) throws(MetaLearnersError) {
        try self.init(arms: arms, labels: labels, places: RowPlaces())
    }

    /// Creates a treatment.
    ///
    /// - Throws: as `init(arms:labels:)`.
    public init(arms: [Int32], labels: [String]) throws(MetaLearnersError) {
        try self.init(arms: RowCodes(arms), labels: labels)
    }

    /// Creates a treatment from what each row got.
    ///
    /// - Parameters:
    ///   - labels: the label of each row's arm. Arms are in order, after the control.
    ///   - control: the label of the control.
    /// - Throws: `invalidData` for fewer than two arms, `invalidData` where no row has the control's label.
    public init(_ labels: [String], control: String) throws(MetaLearnersError) {
        var warnings: [String] = []
        try self.init(
            Column("treatment", categories: labels), control: control, places: RowPlaces(),
            warnings: &warnings)
    }

    /// Creates a treatment from whether each row was treated; its arms are called "false", the control, and "true".
    ///
    /// - Throws: `invalidData` where all rows are the same.
    public init(_ isTreated: [Bool]) throws(MetaLearnersError) {
        let kinds = Set(isTreated)
        try self.init(
            arms: RowCodes(isTreated.map { $0 ? UInt8(1) : 0 }),
            labels: kinds.count == 1 ? ["\(isTreated[0])"] : ["false", "true"])
    }

    /// - Parameter isPart: whether rows of other processes may be in the arms that no row is in here.
    init(arms: RowCodes, labels: [String], places: RowPlaces, isPart: Bool = false) throws(MetaLearnersError)
    {
        guard labels.count >= 2 else {
            throw MetaLearnersError(
                .invalidData, at: "treatment",
                "has one arm only" + (labels.first.map { " ('\($0)')" } ?? ""),
                remedy: "effects need a control and at least one other arm")
        }
        var counts = [Int](repeating: 0, count: labels.count)
        for (row, arm) in arms.enumerated() {
            guard arm >= 0, arm < labels.count else {
                throw MetaLearnersError(
                    .invalidData, at: "treatment",
                    "\(places.name(row)) has arm \(arm), of \(labels.count) arms")
            }
            counts[Int(arm)] += 1
        }
        if !isPart, let empty = counts.firstIndex(of: 0) {
            throw MetaLearnersError(.invalidData, at: "treatment", "no row has arm '\(labels[empty])'")
        }
        self.arms = arms
        self.labels = labels
    }

    /// How many arms there are, the control included.
    public var armCount: Int { labels.count }

    /// The rows of each arm.
    public var counts: [Int] {
        var counts = [Int](repeating: 0, count: labels.count)
        for arm in arms { counts[Int(arm)] += 1 }
        return counts
    }
}

/// Labels that are numbers, written as texts or the levels of a category: what comes first among them is the lowest number, as among numbers.
///
/// A category brings its levels in an order of its own (of first appearance, of the alphabet, of whoever made it), which would turn the sign of
/// effects where it decided which arm is the control or which outcome counts as 1.
enum NumericLabels {
    /// Whether all labels are numbers.
    static func areAll(_ labels: [String]) -> Bool {
        labels.allSatisfy { Column.number(ofLabel: $0) != nil }
    }

    /// Items in the order of the numbers that their labels are, equal ones as they stand; all as they stand where a label is no number.
    static func ascending<Item>(_ items: [Item], label: (Item) -> String) -> [Item] {
        let labels = items.map(label)
        let numbers = labels.compactMap(Column.number(ofLabel:))
        guard numbers.count == items.count else { return items }
        // Whole numbers that one double stands for are told apart all the same.
        let whole = labels.map { Int64($0) ?? 0 }
        return items.indices.sorted { (numbers[$0], whole[$0], $0) < (numbers[$1], whole[$1], $1) }
            .map { items[$0] }
    }
}

import MetaLearnersCore

extension TreeEnsemble {
    private enum RuleTag: UInt8 {
        case missingLeft, missingRight, categories
    }

    /// Writes the trees: 7 bytes per split and 6 per leaf, and the edges that are used.
    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt32(featureCount))
        writer.write(baseScores)
        writer.write(valueScale)
        writer.write(UInt32(usedFeatures.count))
        for (feature, binning) in zip(usedFeatures, binnings) {
            writer.write(UInt16(feature))
            binning.encode(to: &writer)
        }
        writer.write(isMultiOutput)
        writer.write(UInt32(roundCount))
        writer.write(largestGain)
        let written = isMultiOutput ? trees.filter { $0.output == 0 } : trees
        writer.write(UInt64(written.count))
        for tree in written {
            writer.write(UInt32(tree.round))
            writer.write(UInt8(tree.splitCount))
            if baseScores.count > 1 { writer.write(UInt16(tree.output)) }
            for index in tree.firstSplit..<tree.firstSplit + tree.splitCount {
                encode(split(at: index), to: &writer)
                writer.write(gainShares[index].bits)
            }
            for value in values(of: tree) { writer.write(value) }
            for cover in covers[tree.firstValue...tree.firstValue + tree.splitCount] {
                writer.write(cover.bits)
            }
        }
    }

    private func encode(_ split: Split, to writer: inout BinaryWriter) {
        let isWide = binnings[Int(split.feature)].isWide
        writer.write(split.leaf)
        writer.write(split.feature)
        switch split.rule {
        case .ordered(let threshold, let missingRight):
            writer.write((missingRight ? RuleTag.missingRight : .missingLeft).rawValue)
            if isWide { writer.write(threshold) } else { writer.write(UInt8(truncatingIfNeeded: threshold)) }
        case .categories(let set):
            writer.write(RuleTag.categories.rawValue)
            for word in 0..<4 { writer.write(set.words[word]) }
            if isWide { writer.write(set.more) }
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel` for anything that prediction could not use.
    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let featureCount = Int(try reader.read(UInt32.self))
        let baseScores = try reader.readDoubles()
        let valueScale = try reader.readDouble()
        guard !baseScores.isEmpty, baseScores.allSatisfy(\.isFinite), valueScale.isFinite else {
            throw BinaryReader.corrupt("a tree model has no base score")
        }
        let usedCount = Int(try reader.read(UInt32.self))
        var usedFeatures: [Int] = []
        var binnings: [ColumnBinning] = []
        for _ in 0..<usedCount {
            let feature = Int(try reader.read(UInt16.self))
            guard feature < featureCount, feature > usedFeatures.last ?? -1 else {
                throw BinaryReader.corrupt("a tree model names a column that it does not have")
            }
            usedFeatures.append(feature)
            binnings.append(try ColumnBinning(from: &reader))
        }
        guard binnings.reduce(0, { $0 + ($1.isWide ? 2 : 1) }) <= Int(UInt16.max) else {
            throw BinaryReader.corrupt("a tree model has too many columns")
        }
        let isMultiOutput = try reader.readBool()
        let roundCount = Int(try reader.read(UInt32.self))
        let largestGain = try reader.readDouble()
        guard largestGain >= 0, largestGain.isFinite else {
            throw BinaryReader.corrupt("a split gains nothing")
        }
        self.init(
            featureCount: featureCount, baseScores: baseScores, valueScale: valueScale,
            usedFeatures: usedFeatures, binnings: binnings, largestGain: largestGain,
            roundCount: roundCount, isMultiOutput: isMultiOutput)
        for _ in 0..<(try reader.readCount(elementSize: 11)) { append(try readTree(&reader)) }
    }

    private func readTree(_ reader: inout BinaryReader) throws(MetaLearnersError) -> NewTree {
        var tree = NewTree(round: Int(try reader.read(UInt32.self)))
        guard tree.round < roundCount, tree.round >= trees.last?.round ?? 0 else {
            throw BinaryReader.corrupt("a tree is of no round")
        }
        let splitCount = Int(try reader.read(UInt8.self))
        tree.output = baseScores.count > 1 ? Int(try reader.read(UInt16.self)) : 0
        guard tree.output < (isMultiOutput ? 1 : baseScores.count) else {
            throw BinaryReader.corrupt("a tree adds to no score")
        }
        for index in 0..<splitCount {
            tree.splits.append(try readSplit(&reader, leaves: index + 1))
            tree.gains.append(try readShare(&reader))
        }
        for _ in 0..<(splitCount + 1) * (isMultiOutput ? baseScores.count : 1) {
            let value = try reader.readFloat()
            guard value.isFinite else { throw BinaryReader.corrupt("a leaf has no value") }
            tree.values.append(value)
        }
        for _ in 0...splitCount { tree.covers.append(try readShare(&reader)) }
        return tree
    }

    private func readShare(_ reader: inout BinaryReader) throws(MetaLearnersError) -> LeafCover {
        guard let share = LeafCover(bits: try reader.read(UInt16.self)) else {
            throw BinaryReader.corrupt("the rows of a leaf or the gain of a split cannot be told")
        }
        return share
    }

    private func readSplit(_ reader: inout BinaryReader, leaves: Int) throws(MetaLearnersError) -> Split {
        let leaf = try reader.read(UInt8.self)
        let feature = try reader.read(UInt16.self)
        guard leaf < leaves, feature < usedFeatures.count else {
            throw BinaryReader.corrupt("a split is of no leaf or no column")
        }
        let isWide = binnings[Int(feature)].isWide
        let rule: SplitCandidate.Rule
        switch RuleTag(rawValue: try reader.read(UInt8.self)) {
        case .missingLeft:
            rule = .ordered(threshold: try readThreshold(&reader, isWide), missingRight: false)
        case .missingRight:
            rule = .ordered(threshold: try readThreshold(&reader, isWide), missingRight: true)
        case .categories:
            var words: [UInt64] = []
            for _ in 0..<4 { words.append(try reader.read(UInt64.self)) }
            if isWide { words += try reader.readArray(UInt64.self) }
            rule = .categories(CategorySet(pages: words))
        case nil: throw BinaryReader.corrupt("a split is of an unknown kind")
        }
        return Split(leaf: leaf, feature: feature, rule: rule)
    }

    private func readThreshold(_ reader: inout BinaryReader, _ isWide: Bool) throws(MetaLearnersError)
        -> UInt16
    {
        isWide ? try reader.read(UInt16.self) : UInt16(try reader.read(UInt8.self))
    }
}

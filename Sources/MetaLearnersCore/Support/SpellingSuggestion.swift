/// Finds the known word that somebody most likely meant.
public enum SpellingSuggestion {
    /// The word of `candidates` nearest to `word`, nil where none is near.
    ///
    /// Near is a Damerau–Levenshtein distance (restricted to adjacent transpositions) of at most a third of the
    /// longer word, at least 2; case and the choice between `-` and `_` cost nothing.
    public static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
        let wanted = folded(word)
        guard wanted.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let known = folded(candidate)
            let distance = distance(wanted, known)
            let limit = max(2, max(wanted.count, known.count) / 3)
            if distance <= limit, distance < max(wanted.count, known.count), distance < best?.distance ?? .max
            {
                best = (candidate, distance)
            }
        }
        return best?.word
    }

    /// The clause to put into an error message: the nearest word, or the list of all.
    public static func clause(for word: String, in candidates: [String]) -> String {
        if let near = nearest(to: word, in: candidates) { return "did you mean '\(near)'?" }
        return "known are " + candidates.joined(separator: ", ")
    }

    /// The same for a key, a choice or a base learner of a spec, which may be called by the name that it has in another
    /// program: `eta`, `n_estimators`, `xgb`.
    public static func clause(forName word: String, in candidates: [String]) -> String {
        if let near = nearest(toName: word, in: candidates) { return "did you mean '\(near)'?" }
        return clause(for: word, in: candidates)
    }

    /// The name of `candidates` that `word` has in another program, or else the nearest; nil where none is near.
    static func nearest(toName word: String, in candidates: [String]) -> String? {
        ForeignName.meaning(of: word, among: candidates) ?? nearest(to: word, in: candidates)
    }

    private static func folded(_ word: String) -> [Character] {
        word.lowercased().map { $0 == "-" ? "_" : $0 }
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in 0..<left.count {
            var current = [i + 1] + [Int](repeating: 0, count: right.count)
            for j in 0..<right.count {
                let substitution = last[j] + (left[i] == right[j] ? 0 : 1)
                current[j + 1] = min(substitution, last[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
                }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}

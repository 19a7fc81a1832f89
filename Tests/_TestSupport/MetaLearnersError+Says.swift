import MetaLearnersCore

extension Optional<MetaLearnersError> {
    /// Whether there is an error, of that kind, with all these words in what a user reads.
    package func says(_ kind: MetaLearnersError.Kind, _ words: String...) -> Bool {
        guard let error = self else { return false }
        return error.kind == kind && words.allSatisfy(error.description.contains)
    }
}

extension RawRepresentable<String> {
    /// The value of a name on the command line, where hyphens stand for underscores as well, in any case.
    init?(spelled name: String) {
        self.init(
            rawValue: name.lowercased().split(separator: "-", omittingEmptySubsequences: false).joined(
                separator: "_"))
    }
}

/// The version of the library.
public enum Version {
    /// The version, as in semantic versioning.
    public static let current = "1.0.0"
}

namespace Orders.Dashboard.Viewing;

/// <summary>
/// Personal data while nobody has asked for them: that there is something, and not what, nor how long it is.
/// </summary>
internal static class Masked
{
    /// <summary>What stands in its place.</summary>
    public const string Something = "••••••";

    public static string Text(string value) => value == "" ? Texts.None : Something;
}

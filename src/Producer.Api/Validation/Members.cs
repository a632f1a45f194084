using System.Text;

namespace Orders.Producer.Api.Validation;

/// <summary>The members that an object may have. A member is known by its place: the required ones first.</summary>
internal sealed class Members
{
    private readonly string[] _names;
    private readonly int _required;

    public Members(string[] required, string[] optional)
    {
        _names = [.. required, .. optional];
        _required = required.Length;
        Utf8Names = Array.ConvertAll(_names, Encoding.UTF8.GetBytes);
        Listed = string.Join(", ", _names);
    }

    /// <summary>The names, as they stand in a body.</summary>
    public byte[][] Utf8Names { get; }

    /// <summary>All names, for messages.</summary>
    public string Listed { get; }

    /// <summary>The name of a member.</summary>
    public string NameOf(int member) => _names[member];

    /// <summary>The member of a name, -1 when there is none.</summary>
    public int Find(string name, StringComparison comparison) =>
        Array.FindIndex(_names, n => n.Equals(name, comparison));

    /// <summary>The required members that are not among those seen (a bit per member).</summary>
    public IEnumerable<string> Missing(uint seen) => _names.Take(_required).Where((_, i) => (seen & (1u << i)) == 0);

    /// <summary>Whether all required members are among those seen.</summary>
    public bool AreComplete(uint seen) => (~seen & ((1u << _required) - 1)) == 0;
}

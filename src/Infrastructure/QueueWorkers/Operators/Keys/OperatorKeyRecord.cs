using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Operators.Keys;

/// <summary>An operator's key to the operator API, stored only as a hash. An operator may have several.</summary>
public sealed class OperatorKeyRecord
{
    /// <summary>The key's own id, for rotating and revoking.</summary>
    public Guid Id { get; init; }

    /// <summary>Whose it is.</summary>
    public string Name { get; init; } = "";

    /// <summary>SHA-256 of the key, see <see cref="OperatorKey"/>.</summary>
    public byte[] Hash { get; init; } = [];

    /// <summary>The key's first characters, to recognise it by.</summary>
    public string Hint { get; init; } = "";

    /// <summary>Whether the deployment gave it; the next one that brings another key revokes it.</summary>
    public bool Deployed { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends by itself; null means never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was revoked; null while it is valid.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The key that a rotation made in its place; null without one.</summary>
    public Guid? ReplacedBy { get; init; }
}

/// <summary>The <c>operator_keys</c> table.</summary>
public sealed class OperatorKeyTable : IEntityTypeConfiguration<OperatorKeyRecord>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OperatorKeyRecord> builder)
    {
        builder.ToTable("operator_keys");
        builder.HasKey(k => k.Id);
        builder.Property(k => k.Id).ValueGeneratedNever();
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasIndex(k => k.Name);
        builder.Property(k => k.Deployed).HasDefaultValue(false);
        builder.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
        builder.HasOne<OperatorAccount>().WithMany().HasForeignKey(k => k.Name).OnDelete(DeleteBehavior.Cascade);
    }
}

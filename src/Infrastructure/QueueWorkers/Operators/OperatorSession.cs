using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Operators;

/// <summary>A browser that an operator is logged in with.</summary>
public sealed class OperatorSession
{
    /// <summary>SHA-256 of the secret that the browser keeps.</summary>
    public byte[] Hash { get; init; } = [];

    /// <summary>Whose it is.</summary>
    public string Name { get; init; } = "";

    /// <summary>When the operator logged in.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it ends unless the operator does something before.</summary>
    public DateTimeOffset IdleUntil { get; init; }

    /// <summary>Whether the identity provider let the operator in; false for a password.</summary>
    public bool External { get; init; }
}

/// <summary>
/// The <c>operator_sessions</c> table. In the database and not in the process: a restart logs nobody out.
/// </summary>
public sealed class OperatorSessionTable : IEntityTypeConfiguration<OperatorSession>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OperatorSession> builder)
    {
        builder.ToTable("operator_sessions");
        builder.HasKey(s => s.Hash);
        builder.Property(s => s.CreatedAt).HasDefaultValueSql("now()");
        builder.HasOne<OperatorAccount>().WithMany().HasForeignKey(s => s.Name).OnDelete(DeleteBehavior.Cascade);
    }
}
